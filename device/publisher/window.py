"""Which messages are under way, which must be sent again, and which one ends the connections.

No clock, no thread, no network: times are passed in, in seconds of a clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edge_sdk.contract.messages import SeqRange

from ..outbox import Row

__all__ = ["Window"]

_PATIENCE = 4.0  # waits so many times the usual delay before sending again
_SMOOTHING = 1 / 8  # of the usual delay, as RFC 6298 smooths round-trip times
_MAX_DOUBLINGS = 4
_TAKEN_KEPT = 4  # times the most that may be under way


@dataclass(slots=True)
class _UnderWay:
    row: Row
    sent_at: float
    sends: int = 1
    acknowledged: bool = False  # this sending of it


class Window:
    """The messages that were sent and are not yet done with.

    Once a connection has ended with something unacknowledged, messages go out one by one until as many
    were acknowledged as had been under way: a message that makes the broker hang up is then alone when
    it does so, and can be told from those that only travelled with it.

    Args:
        limit: At most so many messages under way.
        needs_receipt: Whether a message is done with the receiver's receipt, or else with the broker's
            acknowledgement.
        resend_s: The least time before a message is sent again over the same connection.
        max_broken: After ending so many connections in a row a message is set aside.
    """

    def __init__(
        self, limit: int, *, needs_receipt: bool, resend_s: float = 60.0, max_broken: int = 3
    ) -> None:
        self._limit = limit
        self._needs_receipt = needs_receipt
        self._resend_s = resend_s
        self._max_broken = max_broken
        self._under_way: dict[int, _UnderWay] = {}
        self._broken: dict[int, int] = {}
        self._taken_at: dict[int, float] = {}  # acknowledged and not confirmed, over all connections
        self._one_by_one = 0
        self._usual_delay_s: float | None = None

    @property
    def under_way(self) -> Collection[int]:
        """Numbers of the messages that were sent over this connection and are not done with."""
        return self._under_way.keys()

    @property
    def room(self) -> int:
        """How many messages may be sent now."""
        if self._one_by_one:
            return 0 if self._unacknowledged() else min(1, self._limit - len(self._under_way))
        return self._limit - len(self._under_way)

    def sent(self, row: Row, now: float) -> None:
        """A message was sent, for the first time or again."""
        known = self._under_way.get(row.seq)
        if known is None:
            self._under_way[row.seq] = _UnderWay(row, now)
        else:
            known.sent_at, known.sends, known.acknowledged = now, known.sends + 1, False

    def acknowledged(self, seq: int) -> bool:
        """The broker acknowledged a message; whether that is all that was awaited for it."""
        message = self._under_way.get(seq)
        if message is None:
            return False
        message.acknowledged = True
        self._harmless(seq)
        if self._needs_receipt:
            self._note_taken(seq, message.sent_at)
        if not self._needs_receipt:
            del self._under_way[seq]
        return not self._needs_receipt

    def confirmed(self, ranges: Sequence[SeqRange], now: float) -> int:
        """The receiver confirmed or rejected messages; how many of them were under way."""
        seqs = [seq for seq in self._under_way if any(first <= seq <= last for first, last in ranges)]
        for seq in seqs:
            message = self._under_way.pop(seq)
            self._taken_at.pop(seq, None)
            self._harmless(seq)
            if message.sends == 1:  # after a second one, nobody knows which was confirmed
                self._observe(now - message.sent_at)
        if seqs:  # the receiver is there: be patient no longer than usual with the rest
            for message in self._under_way.values():
                message.sends = min(message.sends, 2)
        return len(seqs)

    def connection_ended(self) -> int | None:
        """Forget what was under way, as all of it is sent again over the next connection.

        Returns:
            The message to set aside, if one has ended its last connection.
        """
        unacknowledged = self._unacknowledged()
        if unacknowledged:
            self._one_by_one = max(self._one_by_one, len(self._under_way))
        self._under_way.clear()
        if len(unacknowledged) != 1:
            return None
        (suspect,) = unacknowledged
        self._broken[suspect] = self._broken.get(suspect, 0) + 1
        if self._broken[suspect] < self._max_broken:
            return None
        self.forget(suspect)
        return suspect

    def forget(self, seq: int) -> None:
        """A message will not be sent any more."""
        self._under_way.pop(seq, None)
        self._taken_at.pop(seq, None)
        self._harmless(seq)

    @property
    def taken(self) -> int:
        """How many messages under way the broker has taken, and nobody has confirmed."""
        return sum(seq in self._taken_at for seq in self._under_way)

    def unconfirmed(self, now: float) -> int:
        """How many of these were taken longer ago than a receiver that works needs."""
        limit = now - self._timeout_s()
        return sum(self._taken_at.get(seq, now) <= limit for seq in self._under_way)

    def overdue(self, now: float) -> list[Row]:
        """What must be sent again, oldest first within a priority."""
        rows = [message.row for message in self._under_way.values() if self._due_at(message) <= now]
        return sorted(rows, key=lambda row: (row.priority, row.seq))

    def next_due_at(self) -> float | None:
        """When the next message must be sent again."""
        return min(map(self._due_at, self._under_way.values()), default=None)

    def _due_at(self, message: _UnderWay) -> float:
        # A receiver that is away for long is asked less and less often: each resend costs airtime.
        doublings = min(message.sends - 1, _MAX_DOUBLINGS)
        return message.sent_at + self._timeout_s() * 2.0**doublings

    def _timeout_s(self) -> float:
        return max(self._resend_s, _PATIENCE * (self._usual_delay_s or 0.0))

    def _observe(self, delay_s: float) -> None:
        usual = delay_s if self._usual_delay_s is None else self._usual_delay_s
        self._usual_delay_s = usual + _SMOOTHING * (delay_s - usual)

    def _harmless(self, seq: int) -> None:
        self._broken.pop(seq, None)
        self._one_by_one = max(0, self._one_by_one - 1)

    def _note_taken(self, seq: int, sent_at: float) -> None:
        self._taken_at.setdefault(seq, sent_at)
        if len(self._taken_at) > _TAKEN_KEPT * self._limit:  # what was evicted meanwhile is never confirmed
            del self._taken_at[next(iter(self._taken_at))]

    def _unacknowledged(self) -> list[int]:
        return [seq for seq, message in self._under_way.items() if not message.acknowledged]
