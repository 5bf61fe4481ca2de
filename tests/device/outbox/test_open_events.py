"""Events that a crash leaves open get exactly one end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outbox_alerts import end_to_put

from device.outbox import Outbox
from device.stamper import BuildAlert
from edge_sdk.contract.messages import Alert, decode_message

Make = Callable[..., Callable[[str, int], Any]]
Opened = Callable[..., Outbox]

ONE = "0190c1f0-0000-7000-8000-00000000000a"
TWO = "0190c1f0-0000-7000-8000-00000000000b"


def _crashed_copy(folder: Path, to: Path) -> Path:
    """The files as a crash leaves them, while their process still runs."""
    shutil.copytree(folder, to)
    return to


def _left_open(outbox: Outbox) -> list[Alert]:
    """What an outbox asks ends for."""
    asked: list[Alert] = []

    def end_for(last: Alert) -> BuildAlert:
        asked.append(last)
        return end_to_put(last)

    outbox.recover(end_for)
    return asked


def _alerts(outbox: Outbox) -> list[Alert]:
    return [decode_message(row.payload, Alert) for row in outbox.next_rows(100)]


def test_an_event_is_open_until_its_end(opened: Opened, alert: Make) -> None:
    outbox = opened()
    outbox.put(alert(event_id=ONE))
    outbox.put(alert(event_id=TWO))
    outbox.put(alert(event_id=ONE, type="end", end_reason="silence"))
    outbox.close()
    assert [last.event_id for last in _left_open(opened())] == [TWO]


def test_the_newest_alert_of_an_event_is_what_is_left(opened: Opened, alert: Make) -> None:
    outbox = opened()
    outbox.put(alert(event_id=ONE, score=0.6))
    outbox.put(alert(event_id=ONE, type="update", score=0.8))
    outbox.close()
    (last,) = _left_open(opened())
    assert (last.type, last.score, last.seq) == ("update", 0.8, 2)


def test_recovering_ends_each_open_event_once(opened: Opened, alert: Make, tmp_path: Path) -> None:
    outbox = opened()
    outbox.put(alert(event_id=ONE))
    outbox.put(alert(event_id=TWO)).wait(60)
    crashed = _crashed_copy(tmp_path / "outbox", tmp_path / "crashed")

    after = opened(crashed)
    tickets = after.recover(end_to_put)
    assert [ticket.seq for ticket in tickets] == [3, 4]
    assert after.recover(end_to_put) == []
    tickets[-1].wait(60)
    ends = [message for message in _alerts(after) if message.type == "end"]
    assert [(end.event_id, end.end_reason) for end in ends] == [(ONE, "restarted"), (TWO, "restarted")]

    again = opened(_crashed_copy(crashed, tmp_path / "crashed-again"))
    assert _left_open(again) == []


def test_a_crash_before_the_ends_are_committed_leaves_all_events_open(
    opened: Opened, alert: Make, tmp_path: Path
) -> None:
    outbox = opened()
    outbox.put(alert(event_id=ONE))
    outbox.put(alert(event_id=TWO))
    outbox.close()
    copies: list[Path] = []

    def crash_at_commit(connection: Any) -> None:
        copies.append(_crashed_copy(tmp_path / "outbox", tmp_path / "crashed"))
        connection.commit()

    during = opened(commit=crash_at_commit)
    during.recover(end_to_put)[-1].wait(60)
    assert len(_left_open(opened(copies[0]))) == 2


def test_an_event_that_opens_after_the_restart_is_not_ended_by_it(opened: Opened, alert: Make) -> None:
    outbox = opened()
    outbox.put(alert(event_id=ONE)).wait(60)
    assert outbox.recover(end_to_put) == []
