"""When the disk is full, what is worth least goes first, and every number that goes is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from device.outbox import Outbox, Row
from device.outbox.priority import Priority
from edge_sdk.contract.messages import Coverage, Dropped, decode_message

Make = Callable[..., Callable[[str, int], Any]]
Opened = Callable[..., Outbox]

MIB = 1024 * 1024
LONG = "x" * 3000  # makes alerts large, so that few of them fill a mebibyte


def _fill(outbox: Outbox, builds: list[Callable[[str, int], Any]]) -> list[int]:
    """Put all, and the last one twice; their numbers, between which announcements may have taken some."""
    tickets = [outbox.put(build) for build in [*builds, builds[-1]]]
    tickets[-1].wait(60)
    return [ticket.seq for ticket in tickets]


def _everything(outbox: Outbox) -> list[Row]:
    return outbox.next_rows(100_000)


def _tell_all(outbox: Outbox) -> tuple[set[int], dict[str, int]]:
    """Confirm one announcement after the other, as a receiver would, until there are no more."""
    told: set[int] = set()
    counts: dict[str, int] = {}
    folder = outbox._reader._path.parent
    while True:
        for _ in range(2):  # closing writes the announcement that opening found due
            outbox.close()
            outbox = Outbox.open(folder, site="forest", device="box-7", disk_budget_bytes=MIB)
        rows = [row for row in _everything(outbox) if row.priority is Priority.DROPPED]
        if not rows:
            outbox.close()
            return told, counts
        (row,) = rows
        message = decode_message(row.payload, Dropped)
        for first, last in message.ranges:
            assert told.isdisjoint(range(first, last + 1))
            told.update(range(first, last + 1))
        for kind, number in message.counts.items():
            counts[kind] = counts.get(kind, 0) + number
        outbox.confirm([(row.seq, row.seq)])


def test_updates_go_first_the_oldest_first(opened: Opened, alert: Make) -> None:
    outbox = opened(disk_budget_bytes=MIB)
    put = _fill(outbox, [alert(type=kind, source=LONG) for _ in range(60) for kind in ("new", "update")])
    rows = _everything(outbox)
    updates = [row.seq for row in rows if row.priority is Priority.UPDATE]
    assert [row.seq for row in rows if row.priority is Priority.ALERT] == put[:-1:2]
    assert 0 < len(updates) < 61
    assert updates == [*put[1::2], put[-1]][-len(updates) :]  # none is missing from the oldest to the newest


def test_every_evicted_number_is_told_once_with_exact_counts(opened: Opened, alert: Make) -> None:
    outbox = opened(disk_budget_bytes=MIB)
    put = _fill(outbox, [alert(type=kind, source=LONG) for _ in range(300) for kind in ("new", "update")])
    told, counts = _tell_all(outbox)
    left = {row.seq for row in _everything(opened(disk_budget_bytes=MIB))}
    assert told.isdisjoint(left)
    assert told | left == set(put)
    kinds = dict(zip(put, [*["alert", "update"] * 300, "update"], strict=True))
    assert counts == Counter(kinds[seq] for seq in told)
    assert set(counts) == {"update", "alert"}


def test_the_files_stay_within_the_budget(opened: Opened, alert: Make, tmp_path: Path) -> None:
    outbox = opened(disk_budget_bytes=MIB)
    largest = 0
    for _ in range(40):
        _fill(outbox, [alert(type=kind, source=LONG) for _ in range(10) for kind in ("new", "update")])
        size = sum(file.stat().st_size for file in (tmp_path / "outbox").iterdir() if "-shm" not in file.name)
        largest = max(largest, size)
    assert largest <= MIB


def test_coverage_is_merged_and_no_second_of_it_is_lost(opened: Opened, alert: Make, coverage: Make) -> None:
    outbox = opened(disk_budget_bytes=MIB)
    _fill(outbox, [coverage(9.0, 10.0, source) for _ in range(50) for source in ("mic-a", "mic-b")])
    _fill(outbox, [alert(source=LONG) for _ in range(300)])
    outbox.close()
    again = opened(disk_budget_bytes=MIB)
    again.next_rows(1000)
    again.close()  # writes that coverage may now have been sent
    (row,) = (row for row in _everything(opened()) if row.priority is Priority.COVERAGE)
    merged = decode_message(row.payload, Coverage)
    seconds = {part.source: (part.inspected_s, part.elapsed_s) for part in merged.sources}
    assert seconds == {"mic-a": (450.0, 500.0), "mic-b": (459.0, 510.0)}
    assert (row.seq, merged.seq) == (101, 101)
    assert merged.started_at == "2026-11-22T12:00:00.000Z"
    assert merged.ended_at == "2026-11-22T13:59:00.000Z"


def test_coverage_that_may_have_been_sent_keeps_its_content(
    opened: Opened, alert: Make, coverage: Make
) -> None:
    outbox = opened(disk_budget_bytes=MIB)
    _fill(outbox, [coverage(1.0, 1.0)])
    outbox.next_rows(10)  # hands out numbers 1 and 2, once that is on disk
    _fill(outbox, [coverage(5.0, 5.0), coverage(5.0, 5.0)])
    _fill(outbox, [alert(source=LONG) for _ in range(300)])
    outbox.close()
    again = opened(disk_budget_bytes=MIB)
    again.next_rows(1000)
    again.close()
    rows = [row for row in _everything(opened()) if row.priority is Priority.COVERAGE]
    inspected = {row.seq: decode_message(row.payload, Coverage).sources[0].inspected_s for row in rows}
    assert inspected == {1: 1.0, 2: 1.0, 5: 15.0}


def test_what_the_receiver_rejected_goes_before_alerts_that_may_still_arrive(
    opened: Opened, alert: Make
) -> None:
    outbox = opened(disk_budget_bytes=MIB)
    _fill(outbox, [alert(source=LONG) for _ in range(50)])
    outbox.quarantine([(1, 50)], "rejected")
    _fill(outbox, [alert(source=LONG) for _ in range(100)])
    assert outbox.counts().rejected < 50
    assert sum(row.priority is Priority.ALERT for row in _everything(outbox)) == 102


def test_a_month_offline_makes_one_announcement_not_thousands(opened: Opened, alert: Make) -> None:
    outbox = opened(disk_budget_bytes=MIB)
    for _ in range(20):
        _fill(outbox, [alert(source=LONG) for _ in range(50)])
    assert sum(row.priority is Priority.DROPPED for row in _everything(outbox)) == 1
