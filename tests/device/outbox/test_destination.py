"""What waits for one broker is not sent to another unasked."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from outbox_alerts import DEVICE, SITE

from device.outbox import Outbox
from edge_sdk.errors import UsageError

Make = Callable[..., Callable[[str, int], Any]]


def open_for(folder: Path, broker: str | None, *, redirect: bool = False) -> Outbox:
    return Outbox.open(folder, site=SITE, device=DEVICE, broker=broker, redirect=redirect)


def leave_waiting(folder: Path, alert: Make, broker: str | None, **changes: str) -> None:
    with open_for(folder, broker) as outbox:
        outbox.put(alert(**changes)).wait(60)


def test_what_waits_for_another_broker_is_refused_with_ways_to_go_on(tmp_path: Path, alert: Make) -> None:
    leave_waiting(tmp_path, alert, "test.example.org", type="end", end_reason="silence")
    with pytest.raises(UsageError, match=r"1 messages wait in .* for broker test\.example\.org") as refused:
        open_for(tmp_path, "broker.example.org")
    assert "not for broker.example.org" in refused.value.message
    for way in ("address of test.example.org", "--redirect-waiting", "--outbox DIR"):
        assert way in str(refused.value.hint)
    with open_for(tmp_path, "test.example.org") as outbox:  # and nothing was lost by asking
        assert [row.seq for row in outbox.next_rows(10)] == [1]


def test_what_waits_can_be_sent_to_another_broker_on_purpose(tmp_path: Path, alert: Make) -> None:
    leave_waiting(tmp_path, alert, "old.example.org")
    with open_for(tmp_path, "new.example.org", redirect=True) as outbox:
        assert outbox.redirected_from == "old.example.org"
        assert outbox.counts().pending == 1
    with open_for(tmp_path, "new.example.org") as outbox:
        assert outbox.redirected_from is None
    with pytest.raises(UsageError):
        open_for(tmp_path, "old.example.org")


def test_an_outbox_in_which_nothing_waits_goes_to_any_broker(tmp_path: Path, alert: Make) -> None:
    with open_for(tmp_path, "a.example.org") as outbox:
        outbox.put(alert(type="end", end_reason="silence")).wait(60)
        outbox.confirm([(1, 1)])
    with open_for(tmp_path, "b.example.org") as outbox:
        assert outbox.is_empty
        assert outbox.redirected_from is None


def test_an_event_that_a_crash_left_open_waits_too(tmp_path: Path, alert: Make) -> None:
    """Its one end would be all that the other broker hears of it."""
    with open_for(tmp_path, "a.example.org") as outbox:
        outbox.put(alert(type="new")).wait(60)
        outbox.confirm([(1, 1)])
    with pytest.raises(UsageError, match="1 messages wait"):
        open_for(tmp_path, "b.example.org")


def test_an_outbox_of_before_brokers_were_noted_is_taken_on(tmp_path: Path, alert: Make) -> None:
    leave_waiting(tmp_path, alert, None)
    with closing(sqlite3.connect(tmp_path / "outbox.sqlite")) as file:
        file.execute("ALTER TABLE meta DROP COLUMN broker")
        file.commit()
    with open_for(tmp_path, "a.example.org") as outbox:
        assert outbox.counts().pending == 1
    with pytest.raises(UsageError, match=r"for broker a\.example\.org"):
        open_for(tmp_path, "b.example.org")
