"""The loop of the inference thread: from what a source delivers to what the outbox keeps."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from edge_sdk.contract.messages import Alert, Coverage, SourceCoverage
from edge_sdk.contract.values import End, Event, Gap, SourceItem
from edge_sdk.errors import BackendError, OutboxError, SourceError

from .pipeline import Pipeline
from .sources.source import Source
from .stamper import Stamper

__all__ = ["Ended", "Keeper", "Kept", "Listener"]

Ended: TypeAlias = Literal["source_ended", "stopped"]
COVERAGE_EVERY_S = 600.0  # of sound
_COMMIT_S = 60.0  # an fsync on a card may stall for seconds
SOURCE_FAULT = "source_failed"
DEFECT_FAULT = "defect"


class Kept(Protocol):
    """The promise that a message will be on disk."""

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until it is.

        Raises:
            OutboxError: It could not be written, or not in time.
        """


class Keeper(Protocol):
    """Keeps messages until they are delivered: the outbox."""

    def put(self, build: Callable[[str, int], Alert | Coverage], /) -> Kept:
        """Number a message and keep it. Returns at once."""


class Listener:
    """Takes one source through the pipeline; for one thread.

    Args:
        source: Names itself and tells when its first sample was heard.
        pipeline: Decides.
        stamper: Gives id and time.
        outbox: Keeps the messages.
        on_event: Told each event with the wall time of its start, after it was kept.

    Attributes:
        heard: How many events began, by label id.
    """

    def __init__(
        self,
        source: Source,
        pipeline: Pipeline,
        stamper: Stamper,
        outbox: Keeper,
        on_event: Callable[[Event, datetime], None],
    ) -> None:
        self.heard: Counter[str] = Counter()
        self._source = source
        self._pipeline = pipeline
        self._stamper = stamper
        self._outbox = outbox
        self._on_event = on_event
        self._coverage_every = round(COVERAGE_EVERY_S * pipeline.sample_rate_hz)
        self._covered_to = 0
        self._started = False
        self._kept: Kept | None = None

    def listen(self, items: Iterable[SourceItem], stopping: threading.Event) -> Ended:
        """Take items until the source ends, or until somebody says stop; then end what is open.

        Raises:
            OutboxError: The outbox takes no more, or could not write what it took. Open events stay
                open in it: the next start ends them.
            SourceError: The source failed.
            BackendError: Inference fails for good.
            Exception: A defect. After this and the two before, open events were ended and coverage was
                told: what failed must not look like silence.
        """
        try:
            ended = self._hear(items, stopping)
        except OutboxError:
            raise
        except Exception as error:  # told, and raised again
            self._start()
            told = isinstance(error, (SourceError, BackendError))
            self._keep(self._pipeline.lose(None if told else DEFECT_FAULT))
            self._settle()
            raise
        self._settle()
        return ended

    def _hear(self, items: Iterable[SourceItem], stopping: threading.Event) -> Ended:
        try:
            return self._take_all(items, stopping)
        except SourceError:
            self._start()
            # What the resampler held back was heard before the fault, and counts.
            self._take(Gap(0, self._pipeline.sample_rate_hz, SOURCE_FAULT))
            raise

    def _take_all(self, items: Iterable[SourceItem], stopping: threading.Event) -> Ended:
        for item in items:
            if stopping.is_set():
                break
            self._start()
            self._take(item)
            if isinstance(item, End):
                return item.reason
            if self._pipeline.position - self._covered_to >= self._coverage_every:
                self._tell_coverage()
        self._start()
        self._take(End("stopped"))
        return "stopped"

    def _start(self) -> None:
        if not self._started:
            self._stamper.start(self._source.started_at, self._source.clock_source)
            self._started = True

    def _take(self, item: SourceItem) -> None:
        self._keep(self._pipeline.push(item))
        if isinstance(item, Gap) and item.resumes_at is not None:
            self._stamper.resume(self._pipeline.position, item.resumes_at)

    def _keep(self, events: Iterable[Event]) -> None:
        for event in events:
            if event.type == "new":
                self.heard[event.label_id] += 1
            self._kept = self._outbox.put(self._stamper.alert(event))
            self._on_event(event, self._stamper.wall_time(event.start))

    def _settle(self) -> None:
        """Leave nothing open: the last coverage is told, and all is on disk."""
        self._tell_coverage()
        if self._kept is not None:
            self._kept.wait(_COMMIT_S)

    def _tell_coverage(self) -> None:
        covered = self._pipeline.take_coverage()
        if not covered.elapsed and not covered.faults:
            return
        rate_hz = self._pipeline.sample_rate_hz
        part = SourceCoverage(
            source=self._source.name,
            inspected_s=round(covered.inspected / rate_hz, 3),
            elapsed_s=round(covered.elapsed / rate_hz, 3),
            faults=dict(covered.faults),
        )
        start, self._covered_to = self._covered_to, self._pipeline.position
        self._kept = self._outbox.put(self._stamper.coverage(start, self._covered_to, [part]))
