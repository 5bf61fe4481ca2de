"""The demo listens until it has all that its device sent, in whatever order that came."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from device_messages import NOON, make_alert, make_coverage, topic_of

from edge_sdk.contract.messages import Alert
from edge_sdk.demo import listening
from edge_sdk.demo.listening import Reception, receive_while
from edge_sdk.monitor.incoming import Received


def received(seq: int) -> Received[Alert]:
    alert = make_alert(seq)
    return Received(alert, topic_of(alert), NOON, b"")


@pytest.mark.parametrize(
    ("alerts", "coverage", "complete"),
    [
        ([], [], False),
        ([], [1], True),
        ([1, 2], [], False),  # more may follow
        ([2, 1], [3], True),
        ([1], [3], False),
        ([1, 3], [2, 4], True),
        ([1, 3], [4], False),
    ],
)
def test_it_is_complete_when_nothing_lacks_up_to_the_last_coverage(
    alerts: list[int], coverage: list[int], *, complete: bool
) -> None:
    reception = Reception([received(seq) for seq in alerts], [make_coverage(seq) for seq in coverage])
    assert reception.is_complete() is complete


class LateSubscriber:
    """Has nothing for so many seconds, and then the last alert; time passes only while it is waited for."""

    def __init__(self, late_s: float) -> None:
        self.now_s = 0.0
        self._late_s = late_s

    def monotonic(self) -> float:
        return self.now_s

    def next_alert(self, timeout_s: float) -> Received[Alert] | None:
        self.now_s += timeout_s
        return received(1) if self.now_s >= self._late_s else None


@pytest.mark.parametrize(("late_s", "comes"), [(20.0, True), (100.0, False)])
def test_what_comes_after_its_device_has_ended_is_waited_for_and_not_for_ever(
    late_s: float, monkeypatch: pytest.MonkeyPatch, *, comes: bool
) -> None:
    subscriber: Any = LateSubscriber(late_s)
    monkeypatch.setattr(listening, "time", subscriber)
    ended: Any = SimpleNamespace(is_running=False)
    reception = Reception(coverage=[make_coverage(2)])
    told: list[Received[Alert]] = []
    receive_while(ended, subscriber, reception, told.append)
    assert reception.is_complete() is comes
    assert told == reception.alerts
