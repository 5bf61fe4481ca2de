"""The demo listens until it has all that its device sent, in whatever order that came."""

from __future__ import annotations

import pytest
from device_messages import NOON, make_alert, make_coverage, topic_of

from edge_sdk.contract.messages import Alert
from edge_sdk.demo.listening import Reception
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
