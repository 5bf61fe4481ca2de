"""What comes of what devices send: alerts as values, and problems that are told and end nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from device_messages import DEVICE, EPOCH, make_alert, make_coverage, make_dropped, make_status, topic_of
from fake_device import FakeDevice

from edge_sdk import Alert, Coverage, Status, Subscriber
from edge_sdk.contract.messages import Dropped, encode_message
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.errors import UsageError
from edge_sdk.monitor.incoming import BadPayload, Received
from edge_sdk.monitor.intake import Conflict, Overflow, Problem
from edge_sdk.monitor.seq_ledger import SeqGap

WAIT_S = 120.0


def take(subscriber: Subscriber, count: int) -> list[int]:
    """The numbers of the next alerts."""
    numbers: list[int] = []
    for _ in range(count):
        received = subscriber.next_alert(WAIT_S)
        assert received is not None, f"only {numbers} came"
        numbers.append(received.message.seq)
    return numbers


def test_alerts_come_as_values_with_topic_and_time(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    with Subscriber(broker.url, site=site) as subscriber:
        device.send(alert(1))
        received = subscriber.next_alert(WAIT_S)

    assert received is not None
    assert received.message == alert(1)
    assert received.topic == f"edge/v1/{site}/{DEVICE}/up/alert/gunshot"
    assert received.received_at.utcoffset() is not None


def test_iteration_goes_on_until_the_subscriber_is_closed(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    seen = []
    with Subscriber(broker.url, site=site) as subscriber:
        for seq in (1, 2, 3):
            device.send(alert(seq))
        for received in subscriber:
            seen.append(received.message.seq)
            if len(seen) == 3:
                threading.Thread(target=subscriber.close).start()

    assert seen == [1, 2, 3]


def test_site_device_and_label_choose(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    with (
        FakeDevice(broker.url, site, "box-08") as other,
        Subscriber(broker.url, site=site, device=DEVICE) as of_device,
        Subscriber(broker.url, site=site, label="chainsaw") as of_label,
    ):
        other.send(alert(1, device="box-08", label="chainsaw"))
        device.send(alert(2))
        device.send(alert(3, label="chainsaw"))

        assert take(of_device, 2) == [2, 3]
        assert take(of_label, 2) == [1, 3]


def test_no_receipt_is_sent(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    with Subscriber(broker.url, site=site) as subscriber:
        device.send(alert(1))
        take(subscriber, 1)

    assert device.receipts == []


def test_duplicates_are_dropped_and_counted(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    with Subscriber(broker.url, site=site) as subscriber:
        for seq in (1, 1, 2, 1, 3):
            device.send(alert(seq))

        assert take(subscriber, 3) == [1, 2, 3]
        assert subscriber.counters.duplicates == 2


def test_what_is_wrong_is_reported_and_ends_nothing(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    problems: list[Problem] = []
    dropped = threading.Event()
    subscriber = Subscriber(broker.url, site=site, gap_after_s=0.0)
    subscriber.on_problem(problems.append)
    subscriber.on(Dropped, lambda _: dropped.set())
    with subscriber:
        device.send(alert(1, score=0.9))
        device.send(alert(1, score=0.8))
        device.send_bytes(topic_of(alert(2)), b"\x00\xff")
        device.send(alert(5))
        assert take(subscriber, 2) == [1, 5]
        # A broker keeps the order within a topic alone, and no number is waited for here.
        device.send(make_dropped(9, (6, 8), site=site))
        assert dropped.wait(WAIT_S)
        device.send(alert(10))
        assert take(subscriber, 1) == [10]
    conflict, bad, gap = problems

    assert isinstance(conflict, Conflict)
    assert isinstance(bad, BadPayload)
    assert bad.payload == b"\x00\xff"
    assert gap == SeqGap(site, DEVICE, EPOCH, 2, 4)
    counters = subscriber.counters
    assert (counters.alerts, counters.conflicts, counters.bad_payloads) == (3, 1, 1)
    assert (counters.gaps, counters.missing) == (1, 3)


def test_gaps_that_were_still_waited_for_are_reported_at_the_end(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    problems: list[Problem] = []
    subscriber = Subscriber(broker.url, site=site)
    subscriber.on_problem(problems.append)
    with subscriber:
        device.send(alert(1))
        device.send(alert(3))
        take(subscriber, 2)
        assert problems == []

    assert problems == [SeqGap(site, DEVICE, EPOCH, 2, 2)]


def test_a_problem_that_nobody_asked_for_is_logged(
    broker: EmbeddedBroker,
    device: FakeDevice,
    alert: Callable[..., Alert],
    site: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Subscriber(broker.url, site=site) as subscriber:
        device.send_bytes(topic_of(alert(1)), b"{}")
        device.send(alert(4))
        device.send(alert(7))
        take(subscriber, 2)

    assert "bad payload of 2 bytes" in caplog.text
    assert f"2 messages of {site}/{DEVICE} did not come: seq 5 to 6" in caplog.text


def test_with_a_label_gaps_cannot_be_seen(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    with Subscriber(broker.url, site=site, label="gunshot", gap_after_s=0.0) as subscriber:
        device.send(alert(1))
        device.send(alert(2, label="chainsaw"))
        device.send(alert(3))
        assert take(subscriber, 2) == [1, 3]

    assert subscriber.counters.gaps == 0


def test_other_messages_go_to_functions(broker: EmbeddedBroker, device: FakeDevice, site: str) -> None:
    seen: list[Received[Status] | Received[Coverage]] = []
    complete = threading.Event()

    def note(received: Received[Status] | Received[Coverage]) -> None:
        seen.append(received)
        if len(seen) == 2:
            complete.set()

    subscriber = Subscriber(broker.url, site=site)
    subscriber.on(Status, note)
    subscriber.on(Coverage, note)
    with subscriber:
        device.send(make_status(site=site))
        device.send(make_coverage(1, site=site))
        assert complete.wait(WAIT_S)

    by_name = sorted((received.message for received in seen), key=lambda message: type(message).__name__)
    assert by_name == [make_coverage(1, site=site), make_status(site=site)]


def test_a_function_that_fails_is_logged_and_called_again(
    broker: EmbeddedBroker,
    device: FakeDevice,
    alert: Callable[..., Alert],
    site: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    called = threading.Semaphore(0)

    def fail(received: Received[Alert]) -> None:
        called.release()
        raise ValueError(f"no place for {received.message.seq}")

    subscriber = Subscriber(broker.url, site=site)
    subscriber.on(Alert, fail)
    with subscriber:
        device.send(alert(1))
        device.send(alert(2))
        assert called.acquire(timeout=WAIT_S)
        assert called.acquire(timeout=WAIT_S)
        with pytest.raises(UsageError, match="function"):
            subscriber.next_alert(0.0)

    assert "no place for 1" in caplog.text
    assert "no place for 2" in caplog.text


def test_a_broker_that_goes_away_is_waited_for(
    tmp_path: Path, alert: Callable[..., Alert], site: str
) -> None:
    with EmbeddedBroker(tmp_path / "broker") as broker, Subscriber(broker.url, site=site) as subscriber:
        with FakeDevice(broker.url, site, DEVICE) as device:
            device.send(alert(1))
            take(subscriber, 1)
        broker.kill()
        broker.start()
        with FakeDevice(broker.url, site, DEVICE) as device:
            received = None
            seq = 1
            while received is None:
                seq += 1
                device.send(alert(seq))
                received = subscriber.next_alert(0.5)

    assert received.message.seq > 1


def test_with_a_client_id_the_broker_keeps_what_came_while_we_were_away(
    broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    with Subscriber(broker.url, site=site, client_id=site):
        pass
    device.send(alert(1))

    with Subscriber(broker.url, site=site, client_id=site) as subscriber:
        assert take(subscriber, 1) == [1]


def test_a_reader_that_is_too_slow_loses_the_oldest_and_is_told(
    broker: EmbeddedBroker,
    device: FakeDevice,
    alert: Callable[..., Alert],
    site: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge_sdk.monitor.delivery.ALERTS_BYTES", 1)  # room for one, always
    overflows = threading.Semaphore(0)
    subscriber = Subscriber(broker.url, site=site)
    subscriber.on_problem(lambda problem: overflows.release() if problem == Overflow(1) else None)
    with subscriber:
        for seq in range(1, 5):
            device.send(alert(seq))
        for _ in range(3):
            assert overflows.acquire(timeout=WAIT_S)

        assert take(subscriber, 1) == [4]
        assert subscriber.counters.overflowed == 3


def test_a_status_is_not_read_as_an_alert(broker: EmbeddedBroker, device: FakeDevice, site: str) -> None:
    problems: list[Problem] = []
    subscriber = Subscriber(broker.url, site=site)
    subscriber.on_problem(problems.append)
    with subscriber:
        device.send_bytes(f"edge/v1/{site}/{DEVICE}/up/alert/gunshot", encode_message(make_status(site=site)))
        device.send(make_alert(1, site=site))
        take(subscriber, 1)

    (bad,) = problems
    assert isinstance(bad, BadPayload)
    assert "event_id" in bad.reason
