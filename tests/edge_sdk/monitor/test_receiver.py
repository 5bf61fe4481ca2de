from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from device_messages import DEVICE, EPOCH, make_alert, make_coverage, make_dropped, make_status, topic_of
from fake_device import FakeDevice
from stored_states import wait_for_state

from edge_sdk.contract.messages import Alert, Status, encode_message
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.errors import BrokerError, ConfigError, UsageError
from edge_sdk.monitor.receiver import Monitor, MonitorEvent
from edge_sdk.monitor.store import Store


class Events:
    """What a monitor tells, to be waited for."""

    def __init__(self) -> None:
        self.seen: list[MonitorEvent] = []
        self._changed = threading.Condition()

    def note(self, event: MonitorEvent) -> None:
        with self._changed:
            self.seen.append(event)
            self._changed.notify_all()

    def wait_for(self, kind: str) -> MonitorEvent:
        def found() -> list[MonitorEvent]:
            return [event for event in self.seen if event.kind == kind]

        with self._changed:
            assert self._changed.wait_for(found, 120), f"no {kind} among {self.seen}"
            return found()[0]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def monitor(broker: EmbeddedBroker, store: Store, events: Events) -> Iterator[Monitor]:
    receiver_id = f"server-{uuid.uuid4().hex[:8]}"
    with Monitor(broker.url, store, receiver_id=receiver_id, on_event=events.note) as started:
        yield started


def test_a_receipt_says_what_is_in_the_store(
    monitor: Monitor, store: Store, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    device.deliver([alert(1), make_coverage(2, site=site), make_dropped(3, (7, 9), site=site)])
    device.wait_until_confirmed(3)

    assert {receipt.epoch for receipt in device.receipts} == {EPOCH}
    assert [received.message for received in store.alerts()] == [alert(1)]
    assert (store.counts().coverage, store.counts().dropped) == (1, 1)
    assert device.rejected == set()


def test_a_duplicate_is_confirmed_again_and_stored_once(
    monitor: Monitor, store: Store, device: FakeDevice, alert: Callable[..., Alert]
) -> None:
    device.deliver([alert(1)])
    device.wait_until_confirmed(1)
    device.confirmed.clear()
    device.deliver([alert(1)])
    device.wait_until_confirmed(1)

    assert store.counts().alerts == 1
    assert monitor.outcomes["duplicate"] == 1


def test_other_content_under_a_known_key_is_rejected(
    monitor: Monitor, store: Store, device: FakeDevice, alert: Callable[..., Alert], events: Events
) -> None:
    device.deliver([alert(1, score=0.9)])
    device.wait_until_confirmed(1)
    device.deliver([alert(1, score=0.8)])
    device.wait_until(lambda: device.rejected == {1})

    assert "with other content" in events.wait_for("conflict").text
    assert [received.message.score for received in store.alerts()] == [0.9]


def test_a_bad_payload_is_rejected_and_what_follows_is_stored(
    monitor: Monitor, store: Store, device: FakeDevice, alert: Callable[..., Alert], events: Events
) -> None:
    broken = json.loads(encode_message(alert(1)))
    broken["score"] = 7.0
    device.send_bytes(topic_of(alert(1)), json.dumps(broken).encode())
    device.send_bytes(topic_of(alert(1)), b"\xff not JSON")
    device.deliver([alert(2)])
    device.wait_until_confirmed(1)
    device.wait_until(lambda: device.rejected == {1})

    assert "score" in events.wait_for("bad_payload").text
    assert device.confirmed == {2}
    assert store.counts().bad_payloads == 2
    assert store.missing() == []


def test_a_device_is_not_answered_for_what_another_one_wrote(
    monitor: Monitor, broker: EmbeddedBroker, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    with FakeDevice(broker.url, site, "box-08") as forger:
        forger.send_bytes(topic_of(alert(1, device="box-08")), encode_message(alert(1)))
        forger.wait_until(lambda: forger.rejected == {1})

    assert device.receipts == []


def test_states_are_stored_without_receipts(
    monitor: Monitor, store: Store, device: FakeDevice, alert: Callable[..., Alert], site: str
) -> None:
    device.send(make_status(site=site))
    device.deliver([alert(1)])
    device.wait_until_confirmed(1)

    assert wait_for_state(store, Status) == make_status(site=site)
    assert device.confirmed == {1}


def test_while_the_disk_fails_nothing_is_confirmed_and_nothing_is_lost(
    monitor: Monitor, store: Store, device: FakeDevice, alert: Callable[..., Alert], events: Events
) -> None:
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    device.deliver([alert(seq, source="x" * 6_000) for seq in range(1, 11)])
    failing = events.wait_for("store_failing")

    assert "full" in failing.text
    assert "nothing is confirmed" in failing.text
    assert device.receipts == []

    store._connection.execute("PRAGMA max_page_count = 1000000")
    events.wait_for("store_working")
    device.wait_until_confirmed(10)
    assert store.counts().alerts == 10


def test_what_came_while_the_receiver_was_away_is_kept_by_the_broker(
    broker: EmbeddedBroker, store: Store, device: FakeDevice, alert: Callable[..., Alert]
) -> None:
    receiver_id = f"server-{uuid.uuid4().hex[:8]}"
    with Monitor(broker.url, store, receiver_id=receiver_id):
        pass
    device.send(alert(1))

    with Monitor(broker.url, store, receiver_id=receiver_id):
        device.wait_until_confirmed(1)


def test_the_broker_may_be_restarted(
    store: Store, tmp_path: Path, alert: Callable[..., Alert], site: str
) -> None:
    events = Events()
    with (
        EmbeddedBroker(tmp_path / "broker") as broker,
        Monitor(broker.url, store, on_event=events.note),
        FakeDevice(broker.url, site, DEVICE) as device,
    ):
        device.deliver([alert(1)])
        device.wait_until_confirmed(1)
        broker.kill()
        events.wait_for("disconnected")
        device.deliver([alert(2)])
        broker.start()
        device.wait_until_confirmed(2)

    assert store.counts().alerts == 2


def test_an_unreachable_broker_is_an_error_at_the_start(store: Store) -> None:
    with pytest.raises(BrokerError, match="nothing listens"):
        Monitor("mqtt://127.0.0.1:9", store).start()


def test_reasons_that_alternate_are_told_once_each(store: Store, events: Events) -> None:
    """As where two monitors have one receiver id, and the broker ends them in turn."""
    monitor = Monitor("mqtt://127.0.0.1:9", store, on_event=events.note)
    for number in range(20):
        monitor.connected()
        monitor.disconnected()
        monitor.failed(BrokerError("broke" if number % 2 else "closed"))
    kinds = [event.kind for event in events.seen]
    assert kinds == ["connected", "disconnected", "connected", "disconnected", "connected"]


def test_a_receiver_id_that_no_topic_could_hold_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match="receiver id"):
        Monitor("mqtt://127.0.0.1", store, receiver_id="my server")


def test_it_starts_once(monitor: Monitor) -> None:
    with pytest.raises(UsageError):
        monitor.start()


def test_without_a_listener_events_are_logged(
    broker: EmbeddedBroker, store: Store, device: FakeDevice, site: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Monitor(broker.url, store, receiver_id=f"server-{uuid.uuid4().hex[:8]}"):
        device.send_bytes(topic_of(make_alert(site=site)), b"{}")
        device.deliver([make_alert(2, site=site)])
        device.wait_until_confirmed(1)

    assert "quarantined a payload of 2 bytes" in caplog.text


def test_a_device_that_does_not_hear_its_receipts_is_told_once(
    monitor: Monitor, device: FakeDevice, alert: Callable[..., Alert], events: Events, site: str
) -> None:
    for _ in range(5):
        device.confirmed.clear()
        device.deliver([alert(1)])
        device.wait_until_confirmed(1)
    assert (
        f"may this user publish to edge/v1/{site}/{DEVICE}/down/receipt"
        in events.wait_for("receipts_unheard").text
    )
    assert [event.kind for event in events.seen].count("receipts_unheard") == 1


def test_what_comes_again_once_is_no_news(
    monitor: Monitor, device: FakeDevice, alert: Callable[..., Alert], events: Events
) -> None:
    for number in (1, 1, 2, 2):
        device.confirmed.clear()
        device.deliver([alert(number)])
        device.wait_until_confirmed(1)
    assert "receipts_unheard" not in [event.kind for event in events.seen]


def test_what_comes_faster_than_the_disk_takes_it_is_told_and_counted(
    monitor: Monitor,
    store: Store,
    device: FakeDevice,
    alert: Callable[..., Alert],
    events: Events,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Devices that wait for no receipt lose these, so somebody must know."""
    monkeypatch.setattr(monitor._storing._inbox, "_capacity", 20_000)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages}")
    device.deliver([alert(1, source="x" * 6_000)])
    events.wait_for("store_failing")
    device.deliver([alert(seq, source="x" * 6_000) for seq in range(2, 31)])
    assert "1 messages were given up so far" in events.wait_for("given_up").text

    store._connection.execute("PRAGMA max_page_count = 1000000")
    events.wait_for("store_working")
    monitor.stop()  # whatever still comes is neither counted nor told now
    assert 1 <= monitor.given_up <= 29
    told = [event for event in events.seen if event.kind == "given_up"]
    assert len(told) == monitor.given_up.bit_length()
