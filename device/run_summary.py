"""What ``edge-sdk run`` says: a line an event, and at the end one object or some lines."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from edge_sdk.contract.messages import BundleReference, RefusedChoice, SelfTest, format_utc
from edge_sdk.contract.values import Event
from edge_sdk.errors import EdgeSdkError

__all__ = ["CoverageSummary", "ErrorSummary", "OutboxSummary", "RunSummary", "error_summary", "event_line"]

_ENDED = {"source_ended": "the source has ended, nothing listens any more"}


class CoverageSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How much was inspected; ``share`` is of what passed, 0 where nothing did."""

    inspected_s: float
    elapsed_s: float
    share: float
    faults: dict[str, int]


class OutboxSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What is still on disk.

    Attributes:
        sent: Messages handed to the network in this run; one that was sent again counts again.
        waiting: Not confirmed yet: sent when the device runs again.
        waiting_because: Why they were not delivered, as far as it can be told.
        set_aside: Ended connection after connection; kept.
        rejected: Refused by the receiver for good; kept.
        kept_aside: Where a file was moved that was damaged at the start; its messages were not sent.
    """

    folder: str
    sent: int
    waiting: int
    waiting_because: str | None = None
    set_aside: int
    rejected: int
    kept_aside: str | None = None


class ErrorSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    error: str
    message: str
    hint: str | None


class RunSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The whole run.

    Attributes:
        backend: What ran the variant.
        refused: What was to be run before it, and does not work here.
        ended: ``source_ended``, ``stopped`` or ``failed``.
        events: How many events began, by label id.
        restarted: Events that an earlier process had left open, ended now.
        overruns: How often inference fell behind live sound, which was then skipped.
        skipped_s: How much sound that was.
    """

    bundle: BundleReference
    variant: str
    backend: str
    refused: list[RefusedChoice]
    signed: bool
    self_test: SelfTest | None
    site: str
    device: str
    session: str
    source: str
    ended: str
    events: dict[str, int]
    restarted: int
    overruns: int
    skipped_s: float
    coverage: CoverageSummary
    outbox: OutboxSummary
    error: ErrorSummary | None

    def lines(self) -> list[str]:
        """For a person."""
        heard = ", ".join(f"{count} x {label}" for label, count in sorted(self.events.items()))
        covered = self.coverage
        lines = [
            f"{_ENDED.get(self.ended, self.ended)}: {heard or 'no event'}",
            f"inspected {covered.inspected_s:.3f} of {covered.elapsed_s:.3f} s ({covered.share:.1%})",
        ]
        lines += [f"not inspected: {count} x {kind}" for kind, count in sorted(covered.faults.items())]
        if self.overruns:
            lines.append(f"inference fell behind {self.overruns} times: {self.skipped_s:.1f} s were skipped")
        lines.append(f"sent {self.outbox.sent} messages, what was sent again included")
        if self.outbox.waiting:
            lines.append(
                f"{self.outbox.waiting} messages wait in {self.outbox.folder}: "
                "they are sent when the device runs again"
            )
        if self.outbox.waiting_because:
            lines.append(f"why they wait: {self.outbox.waiting_because}")
        if self.outbox.kept_aside:
            lines.append(f"messages in {self.outbox.kept_aside} were not sent: it was damaged")
        for count, what in ((self.outbox.set_aside, "set aside"), (self.outbox.rejected, "rejected")):
            if count:
                lines.append(f"{count} messages were {what} and are kept in {self.outbox.folder}")
        return lines


def error_summary(error: BaseException | None) -> ErrorSummary | None:
    """An error as data."""
    if error is None:
        return None
    message, hint = (error.message, error.hint) if isinstance(error, EdgeSdkError) else (str(error), None)
    return ErrorSummary(error=type(error).__name__, message=message, hint=hint)


def event_line(event: Event, started_at: datetime, rate_hz: int) -> str:
    """An event for a person: when the sound began; later, up to when it was heard.

    Args:
        event: What was decided.
        started_at: Wall time of its start.
        rate_hz: The rate that the event counts in.
    """
    told = 0.0 if event.type == "new" else (event.stop - event.start) / rate_hz
    line = (
        f"{format_utc(started_at + timedelta(seconds=told))}  {event.type:<6} {event.label_id}  "
        f"score {event.score:.2f} (threshold {event.threshold:.2f})"
    )
    if event.type == "end":
        return f"{line}  {told:.1f} s, {event.end_reason}"
    return line
