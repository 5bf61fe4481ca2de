"""Receipts that are owed to devices, coalesced into ranges. No clock, no socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..contract.messages import Receipt
from .incoming import StreamKey
from .seq_ranges import SeqRanges

__all__ = ["ReceiptBook"]

RANGES_PER_RECEIPT = 180  # keeps one below 8 KiB
STREAMS_KEPT = 10_000
RANGES_KEPT = 4_096


@dataclass(slots=True)
class _Owed:
    ranges: SeqRanges = field(default_factory=SeqRanges)
    rejected: SeqRanges = field(default_factory=SeqRanges)


class ReceiptBook:
    """What is on the disk and not yet told.

    Memory is bounded: what is forgotten here the device sends again, and it is entered anew.

    Args:
        receiver_id: The name by which devices know this receiver.
    """

    def __init__(self, receiver_id: str) -> None:
        self._receiver_id = receiver_id
        self._owed: dict[StreamKey, _Owed] = {}

    def __len__(self) -> int:
        """How many devices and epochs are owed something."""
        return len(self._owed)

    def enter(self, stream: StreamKey, seq: int, *, rejected: bool = False) -> None:
        """Owe a receipt for one number; enter it only once it is committed."""
        owed = self._owed.setdefault(stream, _Owed())
        ranges = owed.rejected if rejected else owed.ranges
        ranges.add(seq)
        ranges.forget_lowest(RANGES_KEPT)
        if len(self._owed) > STREAMS_KEPT:
            del self._owed[next(iter(self._owed))]

    def take(self) -> Iterator[tuple[StreamKey, Receipt]]:
        """Receipts to send, each with who is to get it. Each is struck out when it is taken.

        One that could not be sent is put back by :meth:`put_back`, after the iteration.
        """
        owed_to, self._owed = self._owed, {}
        for stream, owed in owed_to.items():
            for ranges in _chunks(owed.ranges):
                yield stream, Receipt(receiver_id=self._receiver_id, epoch=stream.epoch, ranges=ranges)
            for rejected in _chunks(owed.rejected):
                yield stream, Receipt(receiver_id=self._receiver_id, epoch=stream.epoch, rejected=rejected)

    def put_back(self, stream: StreamKey, receipt: Receipt) -> None:
        """Owe a receipt again."""
        owed = self._owed.setdefault(stream, _Owed())
        for first, last in receipt.ranges:
            owed.ranges.add(first, last)
        for first, last in receipt.rejected:
            owed.rejected.add(first, last)


def _chunks(ranges: SeqRanges) -> Iterator[list[tuple[int, int]]]:
    every = list(ranges)
    for start in range(0, len(every), RANGES_PER_RECEIPT):
        yield every[start : start + RANGES_PER_RECEIPT]
