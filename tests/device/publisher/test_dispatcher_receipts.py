"""What the publisher makes of acknowledgements and receipts, and of those that do not come."""

from __future__ import annotations

from typing import Any

import pytest

from device.stamper import BuildAlert
from edge_sdk.errors import MessageError

Bench = Any  # of conftest.py, which cannot be imported


def test_at_most_a_window_is_under_way_and_receipts_make_room(bench: Bench, alert: BuildAlert) -> None:
    bench.put(alert, 20)
    bench.connect()
    bench.dispatcher.send(now=0.0)
    assert bench.sent() == list(range(1, 9))
    bench.receipt(ranges=[(1, 3)])
    bench.dispatcher.send(now=0.0)
    assert bench.sent() == list(range(1, 12))


def test_with_receipts_an_acknowledgement_lets_go_of_nothing(bench: Bench, alert: BuildAlert) -> None:
    bench.put(alert, 2)
    bench.connect()
    bench.dispatcher.send(now=0.0)
    bench.dispatcher.acknowledged(1)
    bench.disconnect()
    bench.connect()
    bench.dispatcher.send(now=1.0)
    bench.dispatcher.acknowledged(1)
    bench.dispatcher.send(now=1.0)
    assert bench.sent() == [1, 2, 1, 2]


def test_without_receipts_the_acknowledgement_lets_go(puback_bench: Bench, alert: BuildAlert) -> None:
    bench = puback_bench
    bench.put(alert, 2)
    bench.connect()
    bench.dispatcher.send(now=0.0)
    bench.dispatcher.acknowledged(1)
    assert [row.seq for row in bench.outbox.next_rows(10)] == [2]


def test_a_message_without_a_receipt_is_sent_again_after_a_minute(bench: Bench, alert: BuildAlert) -> None:
    bench.put(alert, 1)
    bench.connect()
    bench.dispatcher.send(now=0.0)
    assert bench.dispatcher.wake_at() == 60.0
    bench.dispatcher.send(now=59.0)
    assert bench.sent() == [1]
    bench.dispatcher.send(now=60.0)
    assert bench.sent() == [1, 1]


@pytest.mark.parametrize(
    "changes", [{"receiver_id": "somebody"}, {"epoch": "f" * 16}, {"receiver_id": "Monitor"}]
)
def test_a_receipt_that_is_not_for_us_lets_go_of_nothing(
    bench: Bench, alert: BuildAlert, changes: dict[str, str]
) -> None:
    bench.put(alert, 1)
    bench.connect()
    bench.receipt(ranges=[(1, 1)], **changes)
    assert [row.seq for row in bench.outbox.next_rows(10)] == [1]


@pytest.mark.parametrize("ranges", [[(1, 99)], [(2, 1)]])
def test_a_receipt_that_does_not_hold_is_told_and_lets_go_of_nothing(
    bench: Bench, alert: BuildAlert, ranges: list[tuple[int, int]]
) -> None:
    bench.put(alert, 2)
    bench.connect()
    bench.receipt(ranges=ranges)
    assert isinstance(bench.faults[0], MessageError)
    assert [row.seq for row in bench.outbox.next_rows(10)] == [1, 2]


def test_what_the_receiver_rejects_is_kept_told_and_sent_no_more(bench: Bench, alert: BuildAlert) -> None:
    bench.put(alert, 5)
    bench.connect()
    bench.dispatcher.send(now=0.0)
    bench.receipt(ranges=[(1, 1)], rejected=[(2, 3), (5, 5)])
    assert isinstance(bench.faults[0], MessageError)
    assert "2-3, 5" in bench.faults[0].message
    bench.disconnect()
    bench.connect()
    bench.dispatcher.send(now=1.0)
    assert bench.sent()[5:] == [4]
    bench.outbox.put(alert).wait(60)  # behind what the receipt changed
    assert bench.outbox.counts().rejected == 3


def test_a_receipt_for_what_a_former_process_sent_counts(bench: Bench, alert: BuildAlert) -> None:
    bench.put(alert, 3)
    bench.connect()
    bench.receipt(ranges=[(1, 2)])
    bench.dispatcher.send(now=0.0)
    assert bench.sent() == [3]


def test_the_receipts_of_another_receiver_are_told_once(bench: Bench, alert: BuildAlert) -> None:
    """A misspelt receiver_id: nothing would ever be confirmed."""
    bench.put(alert, 2)
    bench.connect()
    bench.dispatcher.send(now=0.0)
    for seq in (1, 2):
        bench.dispatcher.acknowledged(seq)
        bench.receipt(receiver_id="montior", ranges=[(seq, seq)])
    (fault,) = bench.faults
    assert fault.message == "receiver 'montior' confirms; this device waits for 'monitor'"
    assert "'montior' confirms it, and this device waits for 'monitor'" in bench.dispatcher.why_waiting()


def test_a_second_receiver_beside_ours_is_no_news(bench: Bench, alert: BuildAlert) -> None:
    bench.put(alert, 1)
    bench.connect()
    bench.dispatcher.send(now=0.0)
    bench.receipt(ranges=[(1, 1)])
    bench.receipt(receiver_id="archive", ranges=[(1, 1)])
    assert bench.faults == []


def test_whoever_may_write_receipts_cannot_fill_the_log(bench: Bench) -> None:
    bench.connect()
    for number in range(100):
        bench.receipt(receiver_id=f"receiver-{number}", ranges=[])
    assert len(bench.faults) == 8


def test_messages_that_stay_unconfirmed_are_told_and_reported_until_they_are_confirmed(
    bench: Bench, alert: BuildAlert
) -> None:
    bench.put(alert, 2)
    bench.connect()
    bench.dispatcher.send(now=0.0)
    bench.dispatcher.acknowledged(1)
    bench.dispatcher.acknowledged(2)
    bench.dispatcher.send(now=59.0)
    assert bench.faults == []
    bench.dispatcher.send(now=60.0)
    bench.dispatcher.send(now=400.0)
    (fault,) = bench.faults
    assert "the receiver 'monitor' does not confirm it" in fault.message
    assert "edge/v1/forest/box-7/down/receipt" in fault.hint
    assert bench.reported().unconfirmed == 2
    assert "the broker has taken 2 of them" in bench.dispatcher.why_waiting()

    bench.receipt(ranges=[(1, 1)], now=401.0)
    assert bench.reported().unconfirmed == 1
    bench.receipt(ranges=[(2, 2)], now=402.0)
    assert bench.reported().unconfirmed == 0


def test_a_link_that_is_often_cut_does_not_hide_a_silent_receiver(bench: Bench, alert: BuildAlert) -> None:
    bench.put(alert, 1)
    for now in (0.0, 25.0, 50.0, 75.0):
        bench.connect(now)
        bench.dispatcher.send(now)
        bench.dispatcher.acknowledged(1)
        bench.dispatcher.send(now + 1.0)
        bench.disconnect()
    assert len(bench.faults) == 1
    assert "does not confirm" in bench.faults[0].message


def test_a_message_that_the_broker_has_not_taken_is_no_fault_of_the_receiver(
    bench: Bench, alert: BuildAlert
) -> None:
    bench.put(alert, 1)
    bench.connect()
    bench.dispatcher.send(now=0.0)
    bench.dispatcher.send(now=60.0)
    assert bench.faults == []
    assert bench.dispatcher.why_waiting() == "there was no time to send them"
