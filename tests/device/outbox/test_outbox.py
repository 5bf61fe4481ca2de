"""Putting, reading, confirming: what is committed stays until it is confirmed, and numbers have no gaps."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device.outbox import Outbox
from edge_sdk.contract.messages import Alert, decode_message
from edge_sdk.errors import MessageError, OutboxError

Make = Callable[..., Callable[[str, int], Any]]
Opened = Callable[..., Outbox]


def _seqs(outbox: Outbox) -> list[int]:
    return [row.seq for row in outbox.next_rows(1000)]


def test_a_message_can_be_read_once_its_ticket_is_committed(opened: Opened, alert: Make) -> None:
    outbox = opened()
    ticket = outbox.put(alert(score=0.75))
    ticket.wait(60)
    assert ticket.committed
    (row,) = outbox.next_rows(10)
    assert (row.seq, row.topic) == (1, "edge/v1/forest/box-7/up/alert/gunshot")
    message = decode_message(row.payload, Alert)
    assert (message.score, message.epoch, message.seq) == (0.75, outbox.epoch, 1)


def test_nothing_can_be_read_before_its_commit(opened: Opened, alert: Make) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def slow_commit(connection: Any) -> None:
        reached.set()
        go_on.wait(60)
        connection.commit()

    outbox = opened(commit=slow_commit)
    ticket = outbox.put(alert())
    assert reached.wait(60)
    assert not ticket.committed
    assert outbox.next_rows(10) == []
    assert not outbox.is_empty
    go_on.set()
    ticket.wait(60)
    assert _seqs(outbox) == [1]


def test_what_is_put_during_a_commit_is_committed_together(opened: Opened, alert: Make) -> None:
    commits = 0
    reached, go_on = threading.Event(), threading.Event()

    def slow_commit(connection: Any) -> None:
        nonlocal commits
        commits += 1
        reached.set()
        go_on.wait(60)
        connection.commit()

    outbox = opened(commit=slow_commit)
    outbox.put(alert())
    assert reached.wait(60)
    last = [outbox.put(alert()) for _ in range(50)][-1]
    go_on.set()
    last.wait(60)
    assert commits == 2


def test_put_numbers_without_gaps_from_many_threads(opened: Opened, alert: Make) -> None:
    outbox = opened()
    given: list[int] = []

    def put_some() -> None:
        for _ in range(50):
            given.append(outbox.put(alert()).seq)  # noqa: PERF401 - other threads append too

    threads = [threading.Thread(target=put_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 201))


def test_epoch_and_numbers_go_on_after_a_restart(opened: Opened, alert: Make) -> None:
    first = opened()
    first.put(alert())
    first.put(alert()).wait(60)
    first.confirm([(1, 2)])
    first.close()
    second = opened()
    assert second.epoch == first.epoch
    assert re.fullmatch("[0-9a-f]{16}", second.epoch)
    assert second.put(alert()).seq == 3


def test_two_outboxes_never_share_an_epoch(opened: Opened, tmp_path: Path) -> None:
    assert opened(tmp_path / "a").epoch != opened(tmp_path / "b").epoch


def test_a_message_leaves_only_when_it_is_confirmed(opened: Opened, alert: Make) -> None:
    outbox = opened()
    for _ in range(10):
        last = outbox.put(alert())
    last.wait(60)
    outbox.confirm([(2, 4), (7, 7)])
    assert _seqs(outbox) == [1, 5, 6, 8, 9, 10]  # at once, though the removal may not be on disk yet
    outbox.close()
    assert _seqs(opened()) == [1, 5, 6, 8, 9, 10]


def test_a_confirmation_may_come_twice(opened: Opened, alert: Make) -> None:
    outbox = opened()
    outbox.put(alert())
    outbox.put(alert()).wait(60)
    outbox.confirm([(1, 1)])
    outbox.confirm([(1, 1)])
    outbox.close()
    assert _seqs(opened()) == [2]


@pytest.mark.parametrize("ranges", [[(1, 2)], [(0, 1)], [(2, 1)], [(1, 2**62)]])
def test_a_confirmation_of_numbers_that_were_never_given_is_refused(
    opened: Opened, alert: Make, ranges: list[tuple[int, int]]
) -> None:
    outbox = opened()
    outbox.put(alert()).wait(60)
    with pytest.raises(MessageError, match="not one of this outbox"):
        outbox.confirm(ranges)
    assert _seqs(outbox) == [1]


def test_news_are_sent_before_coverage_and_coverage_before_updates(
    opened: Opened, alert: Make, coverage: Make
) -> None:
    outbox = opened()
    for build in (alert(type="update"), coverage(1, 1), alert(type="end"), alert(type="new")):
        last = outbox.put(build)
    last.wait(60)
    notices = threading.Semaphore(0)
    outbox.on_commit(notices.release)  # it may be told of the commit that was waited for, too
    assert _seqs(outbox) == [3, 4, 1]  # coverage must first be marked as handed out
    while True:
        assert notices.acquire(timeout=60), "nobody was told that coverage can be sent"
        if _seqs(outbox) == [3, 4, 2, 1]:
            break


def test_what_is_in_flight_can_be_skipped(opened: Opened, alert: Make) -> None:
    outbox = opened()
    for _ in range(6):
        last = outbox.put(alert())
    last.wait(60)
    assert [row.seq for row in outbox.next_rows(2, skip={1, 3})] == [2, 4]


def test_a_message_over_8_kib_is_refused_and_uses_no_number(opened: Opened, alert: Make) -> None:
    outbox = opened()
    with pytest.raises(MessageError, match="larger than 8192"):
        outbox.put(alert(source="x" * 9000))
    assert outbox.put(alert()).seq == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"score": float("nan")},
        {"score": 1.5},
        {"label": "gun shot"},
        {"started_at": "yesterday"},
        {"source": "name-\udcff.wav"},
        {"device": "box-8"},
        {"site": "desert"},
    ],
)
def test_a_message_that_the_receiver_would_refuse_is_refused_here(
    opened: Opened, alert: Make, changes: dict[str, Any]
) -> None:
    outbox = opened()
    with pytest.raises(MessageError):
        outbox.put(alert(**changes))
    assert outbox.put(alert()).seq == 1


def test_a_message_with_a_number_of_its_own_is_refused(opened: Opened, alert: Make) -> None:
    outbox = opened()
    with pytest.raises(MessageError, match="carries another"):
        outbox.put(lambda epoch, seq: msgspec.structs.replace(alert()(epoch, seq), seq=seq + 1))


def test_what_is_rejected_is_kept_but_not_sent(opened: Opened, alert: Make) -> None:
    outbox = opened()
    for _ in range(3):
        last = outbox.put(alert())
    last.wait(60)
    outbox.quarantine([(2, 2)], "rejected")
    outbox.close()
    again = opened()
    assert _seqs(again) == [1, 3]
    assert again.counts().rejected == 1


def test_what_was_set_aside_gets_another_chance_after_a_restart(opened: Opened, alert: Make) -> None:
    outbox = opened()
    outbox.put(alert())
    outbox.put(alert()).wait(60)
    outbox.quarantine([(1, 1)], "set_aside")
    assert _seqs(outbox) == [2]
    outbox.close()
    again = opened()
    assert _seqs(again) == [1, 2]
    assert again.counts().set_aside == 0


def test_a_closed_outbox_takes_nothing(opened: Opened, alert: Make) -> None:
    outbox = opened()
    outbox.close()
    with pytest.raises(OutboxError, match="closed"):
        outbox.put(alert())
    with pytest.raises(OutboxError, match="closed"):
        outbox.next_rows(1)


def test_closing_writes_what_waits(opened: Opened, alert: Make) -> None:
    outbox = opened()
    tickets = [outbox.put(alert()) for _ in range(2000)]
    outbox.close()
    assert all(ticket.committed for ticket in tickets)
    assert opened().counts().pending == 2000
