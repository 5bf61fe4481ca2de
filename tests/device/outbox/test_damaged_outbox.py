"""Damage never stops a device for good: what is damaged is kept, told, and worked around."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from outbox_alerts import end_to_put

from device.outbox import Outbox
from edge_sdk.errors import OutboxError, OutboxFailedError

Make = Callable[..., Callable[[str, int], Any]]
Opened = Callable[..., Outbox]

PAGE_BYTES = 4096
EVENTS = [f"0190c1f0-0000-7000-8000-{number:012x}" for number in range(60)]


@pytest.fixture
def filled(tmp_path: Path, alert: Make) -> Path:
    """An outbox that was closed in good order, with messages and open events."""
    folder = tmp_path / "outbox"
    with Outbox.open(folder, site="forest", device="box-7") as outbox:
        for event_id in EVENTS:
            outbox.put(alert(event_id=event_id))
    return folder


def _change(folder: Path, statement: str, *parameters: object) -> None:
    connection = sqlite3.connect(folder / "outbox.sqlite")
    with connection:
        connection.execute(statement, parameters)
    connection.close()


def _pages() -> list[Any]:
    return [pytest.param(number, id=f"page-{number}") for number in range(20)]


@pytest.mark.parametrize("page", _pages())
@pytest.mark.parametrize("damage", ["zeros", "noise"])
def test_a_damaged_page_is_found_at_the_start_and_the_device_goes_on(
    filled: Path, opened: Opened, alert: Make, page: int, damage: str
) -> None:
    file = filled / "outbox.sqlite"
    content = bytearray(file.read_bytes())
    start = page * PAGE_BYTES
    assert start < len(content)
    content[start : start + PAGE_BYTES] = (
        bytes(PAGE_BYTES) if damage == "zeros" else random.Random(page).randbytes(PAGE_BYTES)
    )
    file.write_bytes(content)
    told: list[OutboxError] = []

    after = opened(filled, on_fault=told.append)

    assert after.kept_aside is not None
    assert after.kept_aside.read_bytes() == content
    (fault,) = told
    assert str(after.kept_aside) in fault.message
    assert not isinstance(fault, OutboxFailedError)
    assert after.recover(end_to_put) == []
    after.put(alert()).wait(60)
    assert after.counts().pending == 1


def test_an_open_event_that_cannot_be_read_is_put_away_and_the_others_are_ended(
    filled: Path, opened: Opened
) -> None:
    _change(filled, "UPDATE open_events SET payload = ? WHERE event_id = ?", b'{"type":', EVENTS[3])
    told: list[OutboxError] = []

    after = opened(filled, on_fault=told.append)

    assert after.kept_aside is None
    assert "1 rows" in told[0].message
    tickets = after.recover(end_to_put)
    assert len(tickets) == len(EVENTS) - 1
    tickets[-1].wait(60)
    assert after.counts().pending == len(EVENTS) + len(tickets)
    after.close()
    told.clear()
    assert opened(filled, on_fault=told.append).kept_aside is None
    assert told == []
    connection = sqlite3.connect(filled / "outbox.sqlite")
    assert connection.execute("SELECT origin, payload FROM damaged").fetchall() == [
        ("open_events", b'{"type":')
    ]
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE messages SET topic = CAST(x'ff61' AS TEXT) WHERE seq = 7",
        "UPDATE messages SET topic = 'edge/v1/forest/box-8/up/alert/gunshot' WHERE seq = 7",
        "UPDATE messages SET payload = 'text' WHERE seq = 7",
        "UPDATE messages SET priority = 9 WHERE seq = 7",
    ],
)
def test_a_message_that_cannot_be_sent_does_not_hold_up_the_others(
    filled: Path, opened: Opened, damage: str
) -> None:
    _change(filled, damage)
    told: list[OutboxError] = []
    after = opened(filled, on_fault=told.append)
    assert [row.seq for row in after.next_rows(100)] == [n for n in range(1, 61) if n != 7]
    assert "1 rows" in told[0].message


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM meta",
        "UPDATE meta SET epoch = 'no epoch'",
        "UPDATE meta SET site = 'for est'",
        "UPDATE meta SET next_seq = 5",
        "UPDATE meta SET next_seq = 'many'",
        "DROP TABLE evicted",
        "PRAGMA user_version = 0",
    ],
)
def test_an_outbox_whose_heading_cannot_be_true_is_kept_aside(
    filled: Path, opened: Opened, alert: Make, damage: str
) -> None:
    """Numbers must not be given out twice under one epoch."""
    _change(filled, damage)
    after = opened(filled)
    assert after.kept_aside is not None
    assert after.put(alert()).seq == 1


def test_a_range_of_evicted_numbers_that_cannot_be_read_stops_nothing(
    filled: Path, opened: Opened, alert: Make
) -> None:
    _change(filled, "INSERT INTO evicted VALUES (1, 2, x'7b')")
    told: list[OutboxError] = []
    after = opened(filled, on_fault=told.append)
    after.put(alert()).wait(60)
    assert "1 rows" in told[0].message


def test_damage_while_it_runs_is_told_as_what_only_a_restart_repairs(
    filled: Path, tmp_path: Path, alert: Make
) -> None:
    told: list[OutboxError] = []
    known = threading.Event()

    def on_fault(error: OutboxError) -> None:
        told.append(error)
        known.set()

    def damaged(_: sqlite3.Connection) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    outbox = Outbox.open(filled, site="forest", device="box-7", commit=damaged, on_fault=on_fault)
    outbox.put(alert())
    assert known.wait(60)
    with pytest.raises(OutboxFailedError, match="could not be written"):
        outbox.close()
    (fault,) = told
    assert isinstance(fault, OutboxFailedError)
    assert "restart" in (fault.hint or "")


def test_damage_that_a_reader_meets_is_told_as_what_only_a_restart_repairs(
    filled: Path, opened: Opened
) -> None:
    outbox = opened(filled)
    file = filled / "outbox.sqlite"
    copy = filled.with_name("copy.sqlite")
    shutil.copyfile(file, copy)
    with file.open("r+b") as raw:
        raw.seek(PAGE_BYTES)
        raw.write(b"\xa5" * (file.stat().st_size - PAGE_BYTES))
    with pytest.raises(OutboxFailedError):
        outbox.next_rows(100)
    shutil.copyfile(copy, file)
