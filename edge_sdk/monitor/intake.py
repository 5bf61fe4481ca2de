"""What a subscriber makes of each message: hand it on, drop it, or report it. No thread, no socket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

from ..contract.messages import Alert, Reported, Status
from .incoming import BadPayload, Counted, Message, RawMessage, Received, parse
from .seq_ledger import SeqGap, SeqLedger

__all__ = ["Conflict", "Counters", "Intake", "Overflow", "Problem"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A message whose key came before with other content, which no honest device sends.

    Attributes:
        received: The later of the two. The earlier was handed on.
    """

    received: Received[Counted]


@dataclass(frozen=True, slots=True)
class Overflow:
    """Messages that were given up, oldest first, because nobody took them in time.

    Attributes:
        count: How many since the last report.
    """

    count: int


Problem: TypeAlias = SeqGap | BadPayload | Conflict | Overflow


@dataclass(frozen=True, slots=True)
class Counters:
    """How much of everything came since the start.

    Attributes:
        alerts: Handed on.
        duplicates: Dropped.
        conflicts: Reported and dropped.
        bad_payloads: Reported and dropped.
        gaps: Reported; a number that came after the report does not undo it.
        missing: Messages that are missing now.
        overflowed: Given up because nobody took them in time.
    """

    alerts: int = 0
    duplicates: int = 0
    conflicts: int = 0
    bad_payloads: int = 0
    gaps: int = 0
    missing: int = 0
    overflowed: int = 0


class Intake:
    """Checks and counts. Not thread-safe.

    Args:
        ledger: Knows what came before.
    """

    def __init__(self, ledger: SeqLedger) -> None:
        self._ledger = ledger
        self._counters = Counters()

    @property
    def counters(self) -> Counters:
        """The counts so far."""
        return replace(self._counters, missing=self._ledger.missing)

    def take(self, raw: RawMessage, now: float) -> Received[Message] | BadPayload | Conflict | None:
        """What to do with one message: hand it on, report it, or nothing."""
        result = parse(raw)
        if result is None:
            return None
        if isinstance(result, BadPayload):
            self._count(bad_payloads=1)
            if result.stream is not None and result.seq is not None:
                self._ledger.excuse(result.stream, result.seq, now)
            return result
        if isinstance(result.message, (Status, Reported)):
            return result
        return self._judge(cast("Received[Counted]", result), now)

    def due(self, now: float) -> Iterator[SeqGap]:
        """The gaps to report at ``now``."""
        for gap in self._ledger.due(now):
            self._count(gaps=1)
            yield gap

    def next_due(self) -> float | None:
        """When to ask for gaps again."""
        return self._ledger.next_due()

    def overflowed(self, count: int) -> Overflow:
        """Count what was given up."""
        self._count(overflowed=count)
        return Overflow(count)

    def _judge(self, received: Received[Counted], now: float) -> Received[Message] | Conflict | None:
        verdict = self._ledger.observe(received, now)
        if verdict == "duplicate":
            self._count(duplicates=1)
            return None
        if verdict == "conflict":
            self._count(conflicts=1)
            return Conflict(received)
        if isinstance(received.message, Alert):
            self._count(alerts=1)
        return received

    def _count(self, **more: int) -> None:
        sums = {name: getattr(self._counters, name) + count for name, count in more.items()}
        self._counters = replace(self._counters, **sums)
