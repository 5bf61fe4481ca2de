"""Receiving what the demo's device publishes, while it listens to the soundscape."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ..contract.messages import Alert, Coverage, parse_utc
from ..errors import EdgeSdkError
from ..monitor.incoming import Received
from ..monitor.subscriber import Subscriber
from .children import Child
from .verdict import HeardEvent

__all__ = ["Reception", "receive_while"]

_POLL_S = 0.1
_LAST_WAIT_S = 30.0


@dataclass(slots=True)
class Reception:
    """What a subscriber received.

    Attributes:
        alerts: In the order of arrival.
        coverage: The device's reports of how much it inspected.
    """

    alerts: list[Received[Alert]] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)

    def events(self) -> list[HeardEvent]:
        """The events that the alerts tell of, in seconds from the start of the source.

        Raises:
            EdgeSdkError: The device never told when its source began.
        """
        if not self.coverage:
            raise EdgeSdkError("the device sent no coverage, so nothing is known about what it inspected")
        start = min(parse_utc(coverage.started_at) for coverage in self.coverage)
        latest = {received.message.event_id: received.message for received in self.alerts}
        return [_heard(alert, start) for alert in latest.values()]

    def is_complete(self) -> bool:
        """Whether nothing is missing up to the coverage with which a device closes."""
        numbers = {received.message.seq for received in self.alerts} | {c.seq for c in self.coverage}
        last = max((coverage.seq for coverage in self.coverage), default=0)
        return last > 0 and numbers.issuperset(range(1, last + 1))

    def coverage_share(self) -> float:
        """Seconds inspected over seconds elapsed, 0..1."""
        sources = [source for coverage in self.coverage for source in coverage.sources]
        elapsed_s = sum(source.elapsed_s for source in sources)
        return sum(source.inspected_s for source in sources) / elapsed_s if elapsed_s else 0.0


def receive_while(
    device: Child, subscriber: Subscriber, reception: Reception, on_alert: Callable[[Received[Alert]], None]
) -> None:
    """Take alerts until the device has ended, and all that it sent is here or too late."""
    while device.is_running:
        _take(subscriber, reception, on_alert)
    deadline = time.monotonic() + _LAST_WAIT_S
    while not reception.is_complete() and time.monotonic() < deadline:
        _take(subscriber, reception, on_alert)


def _take(subscriber: Subscriber, reception: Reception, on_alert: Callable[[Received[Alert]], None]) -> None:
    if (received := subscriber.next_alert(_POLL_S)) is not None:
        reception.alerts.append(received)
        on_alert(received)


def _heard(alert: Alert, start: datetime) -> HeardEvent:
    started_s = (parse_utc(alert.started_at) - start).total_seconds()
    ended = parse_utc(alert.ended_at) if alert.ended_at else parse_utc(alert.started_at)
    return HeardEvent(alert.label, started_s, (ended - start).total_seconds(), alert.score)
