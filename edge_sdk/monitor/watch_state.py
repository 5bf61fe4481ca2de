"""What a watcher knows by now: which devices are there, what goes on, what went by."""

from __future__ import annotations

from collections import OrderedDict, deque
from datetime import datetime
from typing import Literal, TypeAlias

from ..contract.messages import Alert, Status, parse_utc
from .incoming import DeviceName, Received
from .intake import Problem

__all__ = ["WatchState", "WatchedItem", "duration_s", "latency_s"]

WatchedItem: TypeAlias = Received[Alert] | Received[Status] | Problem

_FILE_CLOCKS = ("file_name", "file_mtime")
_LATEST_KEPT = 200
_OPEN_KEPT = 1_000
_DEVICES_KEPT = 1_000
_PROBLEMS_KEPT = 3


class WatchState:
    """Bounded; the oldest goes first.

    Attributes:
        latest: Alerts, the newest first.
        open_events: The newest alert of each event without an ``end``, by event id.
        devices: What each device said of itself last.
        problems: The last few.
    """

    def __init__(self) -> None:
        self.latest: deque[Received[Alert]] = deque(maxlen=_LATEST_KEPT)
        self.open_events: OrderedDict[str, Received[Alert]] = OrderedDict()
        self.devices: OrderedDict[DeviceName, Literal["online", "offline"]] = OrderedDict()
        self.problems: deque[Problem] = deque(maxlen=_PROBLEMS_KEPT)
        self._ended: OrderedDict[str, None] = OrderedDict()

    def apply(self, item: WatchedItem) -> None:
        """Take note of one message or problem."""
        if not isinstance(item, Received):
            self.problems.append(item)
        elif isinstance(item.message, Status):
            self._note_device(item.message)
        else:
            self._note_alert(item)

    def _note_device(self, status: Status) -> None:
        name = DeviceName(status.site, status.device)
        self.devices[name] = status.state
        if len(self.devices) > _DEVICES_KEPT:
            self.devices.popitem(last=False)

    def _note_alert(self, received: Received[Alert]) -> None:
        self.latest.appendleft(received)
        alert = received.message
        if alert.type == "end":
            self.open_events.pop(alert.event_id, None)
            self._ended[alert.event_id] = None
        elif alert.event_id not in self._ended:  # what is sent again may come after the end
            known = self.open_events.get(alert.event_id)
            if known is None or known.message.seq < alert.seq:
                self.open_events[alert.event_id] = received
        for remembered in (self.open_events, self._ended):
            if len(remembered) > _OPEN_KEPT:
                remembered.popitem(last=False)


def duration_s(alert: Alert) -> float | None:
    """Seconds from the sound's start to the end of what was heard so far."""
    if alert.ended_at is None:
        return None
    return (parse_utc(alert.ended_at) - parse_utc(alert.started_at)).total_seconds()


def latency_s(alert: Alert, received_at: datetime) -> float | None:
    """Seconds from the end of what had been heard to the arrival here.

    For an ``end`` that is the event rule's wait as well. ``None`` where the times are a recording's.
    """
    if alert.ended_at is None or alert.clock.source in _FILE_CLOCKS:
        return None
    return (received_at - parse_utc(alert.ended_at)).total_seconds()
