"""From a decision in samples to a message with id, wall time, session and clock state.

The pipeline knows no clock. Wall time is the source's start plus samples, so it does not drift with
load; where a source says when sound resumed after a gap, that is the new anchor.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import uuid4

import msgspec

from edge_sdk.contract.messages import (
    Alert,
    Clock,
    Coverage,
    ModelReference,
    SourceCoverage,
    format_utc,
    parse_utc,
)
from edge_sdk.contract.topics import Topics
from edge_sdk.contract.values import ClockSource, Event

from .event_id import EventIds
from .host_clock import HostClock, SystemHostClock

__all__ = ["BuildAlert", "BuildCoverage", "Stamper"]

BuildAlert: TypeAlias = Callable[[str, int], Alert]
"""Takes epoch and seq, which only the outbox knows."""
BuildCoverage: TypeAlias = Callable[[str, int], Coverage]

_ANCHORS = 1024  # far more gaps than an event rule looks back over


class Stamper:
    """Stamps the events of one source; for one thread.

    Args:
        topics: Site and device.
        source: The source's name, as alerts carry it.
        rate_hz: The model's rate, in which events count.
        model: Which model decides.
        session: UUID of this process; made up where none is given.
        host: Where time is read.
    """

    def __init__(
        self,
        topics: Topics,
        *,
        source: str,
        rate_hz: int,
        model: ModelReference,
        session: str | None = None,
        host: HostClock | None = None,
    ) -> None:
        self.session = session or str(uuid4())
        self._topics = topics
        self._source = source
        self._rate_hz = rate_hz
        self._model = model
        self._host = host or SystemHostClock()
        self._ids = EventIds()
        self._clock_source: ClockSource = "system"
        self._anchors: deque[tuple[int, datetime]] = deque(maxlen=_ANCHORS)
        self._open: dict[tuple[str, int], tuple[str, str]] = {}

    def start(self, started_at: datetime | None, clock_source: ClockSource) -> None:
        """Say when the first sample was heard; ``None`` for just now."""
        self._clock_source = clock_source
        self._anchors.append((0, started_at or self._host.now()))

    def resume(self, position: int, resumes_at: datetime) -> None:
        """Say when the sample at ``position`` (at the model's rate) was heard, after a gap."""
        self._anchors.append((position, resumes_at))

    def wall_time(self, position: int) -> datetime:
        """When the sample at ``position`` was heard."""
        for anchor, moment in reversed(self._anchors):
            if anchor <= position:
                return moment + timedelta(seconds=(position - anchor) / self._rate_hz)
        first, moment = self._anchors[0]
        return moment - timedelta(seconds=(first - position) / self._rate_hz)

    def alert(self, event: Event) -> BuildAlert:
        """The alert for an event; the same id for all that share ``(label_id, start)``."""
        key = (event.label_id, event.start)
        known = self._open.pop(key, None)
        event_id, started_at = known or (self._ids.next(), format_utc(self.wall_time(event.start)))
        if event.type != "end":
            self._open[key] = (event_id, started_at)
        ended_at = format_utc(self.wall_time(event.stop))
        clock, uptime_s = self._clock(), self._uptime_s()

        def build(epoch: str, seq: int) -> Alert:
            return Alert(
                event_id=event_id,
                type=event.type,
                device=self._topics.device,
                site=self._topics.site,
                epoch=epoch,
                seq=seq,
                session=self.session,
                modality="audio",
                label=event.label_id,
                score=event.score,
                threshold=event.threshold,
                started_at=started_at,
                ended_at=ended_at,
                end_reason=event.end_reason,
                source=self._source,
                model=self._model,
                clock=clock,
                boot_id=self._host.boot_id,
                uptime_s=uptime_s,
                level_dbfs=_finite_level(event.level_dbfs),
            )

        return build

    def restarted(self, last: Alert) -> BuildAlert:
        """The one ``end`` of an event that was open when the process before this one died.

        Args:
            last: The newest alert of that event; id, start, peak and model stay.
        """
        uptime_s = self._uptime_s()

        def build(epoch: str, seq: int) -> Alert:
            return msgspec.structs.replace(
                last,
                type="end",
                end_reason="restarted",
                epoch=epoch,
                seq=seq,
                session=self.session,
                boot_id=self._host.boot_id,
                uptime_s=uptime_s,
            )

        return build

    def coverage(self, start: int, stop: int, sources: Sequence[SourceCoverage]) -> BuildCoverage:
        """What was inspected between two positions, at the model's rate."""
        started_at = format_utc(self.wall_time(start))
        # A clock that was set back between two files must not turn an interval around.
        ended_at = format_utc(max(self.wall_time(stop), parse_utc(started_at)))

        def build(epoch: str, seq: int) -> Coverage:
            return Coverage(
                device=self._topics.device,
                site=self._topics.site,
                epoch=epoch,
                seq=seq,
                session=self.session,
                started_at=started_at,
                ended_at=ended_at,
                sources=list(sources),
            )

        return build

    def _clock(self) -> Clock:
        # A file's name or date says nothing about how well the recorder's clock was kept.
        synced = self._clock_source == "system" and self._host.synced()
        return Clock(source=self._clock_source, synced=synced)

    def _uptime_s(self) -> float:
        return _rounded(self._host.uptime_s(), 1000)


def _finite_level(level_dbfs: float) -> float | msgspec.UnsetType:
    """JSON knows no infinity; digital silence has no level."""
    return _rounded(level_dbfs, 100) if math.isfinite(level_dbfs) else msgspec.UNSET


def _rounded(value: float, parts: int) -> float:
    """The nearest whole number of parts of 1; ``round`` with digits goes by way of decimal text."""
    return round(value * parts) / parts
