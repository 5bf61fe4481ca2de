"""Which numbers of which device came, which came twice, and which never did.

Pure: no clock, thread or socket. Times are the caller's monotonic seconds.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ..contract.messages import Dropped
from .incoming import Counted, Received, StreamKey, digest_of
from .seq_ranges import SeqRanges

__all__ = ["SeqGap", "SeqLedger", "Verdict"]

Verdict: TypeAlias = Literal["new", "duplicate", "conflict"]

STREAMS_KEPT = 10_000
RANGES_KEPT = 4_096  # in one stream; filtered by label, numbers never close up to one range
DIGESTS_KEPT = 65_536  # 6 MB; an older duplicate is known as such, but its content is not compared
HOLES_WATCHED = 65_536


@dataclass(frozen=True, slots=True)
class SeqGap:
    """Numbers of one device and epoch that did not come in time; both ends are included."""

    site: str
    device: str
    epoch: str
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many messages are missing."""
        return self.last - self.first + 1


@dataclass(slots=True)
class _Stream:
    """One device and epoch.

    Attributes:
        base: The first number seen. What came before may have been sent before we listened.
        highest: Numbers above it are not missing, but still to come.
        received: What came and was handed on.
        accounted: ``received``, and what is known never to come.
    """

    base: int
    highest: int
    received: SeqRanges = field(default_factory=SeqRanges)
    accounted: SeqRanges = field(default_factory=SeqRanges)

    def missing(self) -> Iterator[tuple[int, int]]:
        return self.accounted.missing(self.base, self.highest)


@dataclass(frozen=True, slots=True)
class _Hole:
    """Numbers that were jumped over, and when to stop waiting for them."""

    deadline: float
    stream: StreamKey
    first: int
    last: int


class SeqLedger:
    """Tells new messages from duplicates, and finds gaps.

    A device sends again what was not confirmed, and sends by priority; so a number that is jumped
    over is a gap only if it has not come ``gap_after_s`` later. Joining in the middle of an epoch is
    no gap, and neither are numbers that the device says it dropped.

    Memory is bounded: of a stream whose numbers stay apart the oldest are forgotten, and may then be
    handed on twice rather than not at all.

    Args:
        gap_after_s: How long to wait for a number that was jumped over, in seconds. ``math.inf``
            where gaps cannot be seen, as with a filter by label.
    """

    def __init__(self, *, gap_after_s: float = 90.0) -> None:
        self.gap_after_s = gap_after_s
        self._streams: OrderedDict[StreamKey, _Stream] = OrderedDict()
        self._digests: OrderedDict[tuple[StreamKey, int], bytes] = OrderedDict()
        self._holes: deque[_Hole] = deque()

    @property
    def missing(self) -> int:
        """How many numbers are missing now, in time or not; 0 where gaps cannot be seen."""
        if math.isinf(self.gap_after_s):
            return 0
        return sum(last - first + 1 for stream in self._streams.values() for first, last in stream.missing())

    def observe(self, received: Received[Counted], now: float) -> Verdict:
        """Take note of a message.

        Returns:
            ``"new"``: hand it on. ``"duplicate"``: drop it. ``"conflict"``: its key was used for other
            content before, which no honest device does.
        """
        key, seq = received.stream, received.message.seq
        stream = self._stream(key, seq)
        digest = digest_of(received.payload)
        if seq in stream.received:
            known = self._digests.get((key, seq), digest)
            return "duplicate" if known == digest else "conflict"
        stream.received.add(seq)
        self._remember(key, seq, digest)
        self._advance(key, stream, seq, seq, now)
        if isinstance(received.message, Dropped):
            for first, last in received.message.ranges:
                self._advance(key, stream, first, last, now)
        self._bound(stream)
        return "new"

    def excuse(self, key: StreamKey, seq: int, now: float) -> None:
        """Take note of a number that came with content nobody can read: bad, but not missing."""
        stream = self._stream(key, seq)
        self._advance(key, stream, seq, seq, now)
        self._bound(stream)

    def due(self, now: float) -> list[SeqGap]:
        """The gaps for which the wait is over at ``now``; each is told once."""
        gaps: list[SeqGap] = []
        while self._holes and self._holes[0].deadline <= now:
            gaps.extend(self._unfilled(self._holes.popleft()))
        return gaps

    def next_due(self) -> float | None:
        """When the next wait is over; ``None`` where nothing is waited for."""
        return self._holes[0].deadline if self._holes else None

    def _stream(self, key: StreamKey, seq: int) -> _Stream:
        stream = self._streams.get(key)
        if stream is None:
            stream = self._streams[key] = _Stream(base=seq, highest=seq)
            if len(self._streams) > STREAMS_KEPT:
                self._streams.popitem(last=False)
        self._streams.move_to_end(key)
        return stream

    def _advance(self, key: StreamKey, stream: _Stream, first: int, last: int, now: float) -> None:
        """Account for numbers, and watch the hole that they leave behind them."""
        if math.isinf(self.gap_after_s) or last < first:
            return
        stream.accounted.add(first, last)
        if first > stream.highest + 1 and len(self._holes) < HOLES_WATCHED:
            deadline = now + self.gap_after_s
            self._holes.append(_Hole(deadline, key, stream.highest + 1, first - 1))
        stream.highest = max(stream.highest, last)

    def _unfilled(self, hole: _Hole) -> Iterator[SeqGap]:
        stream = self._streams.get(hole.stream)
        if stream is None:
            return
        for first, last in stream.accounted.missing(max(hole.first, stream.base), hole.last):
            yield SeqGap(*hole.stream, first, last)

    def _remember(self, key: StreamKey, seq: int, digest: bytes) -> None:
        self._digests[key, seq] = digest
        if len(self._digests) > DIGESTS_KEPT:
            self._digests.popitem(last=False)

    @staticmethod
    def _bound(stream: _Stream) -> None:
        stream.received.forget_lowest(RANGES_KEPT)
        forgotten = stream.accounted.forget_lowest(RANGES_KEPT)
        if forgotten is not None:
            stream.base = max(stream.base, forgotten + 1)
