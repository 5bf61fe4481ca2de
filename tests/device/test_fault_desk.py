"""What a part tells is said, passes, or ends the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from device.fault_desk import FaultDesk
from edge_sdk.errors import (
    BrokerError,
    EdgeSdkError,
    MessageError,
    MessagingError,
    OutboxError,
    OutboxFailedError,
)


class Desk:
    """A desk whose run has not begun, and what came of it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.ended: list[EdgeSdkError] = []
        self.desk = FaultDesk(self.said.append, Path("outbox"))


@pytest.mark.parametrize("error", [BrokerError("cut"), MessageError("odd"), OutboxError("full")])
def test_what_passes_does_not_end_the_run(error: EdgeSdkError) -> None:
    desk = Desk()
    desk.desk.attach(desk.ended.append)
    desk.desk.tell(error)
    assert desk.ended == []


@pytest.mark.parametrize("error", [OutboxFailedError("damaged"), MessagingError("the publisher has ended")])
def test_what_only_a_restart_repairs_ends_the_run(error: EdgeSdkError) -> None:
    desk = Desk()
    desk.desk.attach(desk.ended.append)
    desk.desk.tell(error)
    assert desk.ended == [error]


def test_what_fails_before_the_run_ends_it_at_once() -> None:
    desk, error = Desk(), OutboxFailedError("damaged")
    desk.desk.tell(error)
    desk.desk.attach(desk.ended.append)
    assert desk.ended == [error]


def test_a_broker_that_is_away_is_told_with_where_alerts_are_kept() -> None:
    desk = Desk()
    desk.desk.tell(BrokerError("cut"))
    assert desk.said == ["alerts are kept in outbox until they are delivered"]
