"""The publisher with its thread, over a connection without a network."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from queue import Queue

import pytest
from outbox_alerts import DEVICE, SESSION, SITE

from device.outbox import Outbox
from device.publisher import Publisher
from device.stamper import BuildAlert
from edge_sdk.contract.messages import Receipt, Status, decode_message, encode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import BrokerError, ConfigError, EdgeSdkError
from edge_sdk.mqtt.connection import Will
from edge_sdk.mqtt.fake import FakeConnection, Published
from edge_sdk.mqtt.settings import BrokerSettings

TOPICS = Topics(SITE, DEVICE)
NOWHERE = BrokerSettings("nowhere.invalid", 1883)


class Broker(FakeConnection):
    """Echoes probes, acknowledges everything, and confirms what it is told to."""

    def __init__(self, epoch: str, *, confirms: bool) -> None:
        super().__init__()
        self.will: Will | None = None
        self.subscriptions: Sequence[str] = ()
        self.messages: Queue[Published] = Queue()
        self._epoch = epoch
        self._confirms = confirms

    def open(self, will: Will, subscriptions: Sequence[str]) -> Broker:
        self.will, self.subscriptions = will, subscriptions
        return self

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, token: int | None = None) -> bool:
        if not super().publish(topic, payload, retain=retain, token=token):
            return False
        message = self.published[-1]
        if topic == TOPICS.probe:
            self.deliver(topic, payload)
        if token is not None:
            self.acknowledge(token)  # before `publish` returns, as paho may
        if token and self._confirms:
            self.confirm(token)
        self.messages.put(message)  # who waits for it finds all of that done
        return True

    def confirm(self, seq: int) -> None:
        receipt = Receipt(receiver_id="monitor", epoch=self._epoch, ranges=[(seq, seq)])
        self.deliver(TOPICS.receipt, encode_message(receipt))

    def next_alert(self) -> int:
        while True:
            message = self.messages.get(timeout=60)
            if message.token:
                return message.token


def _last_state(broker: Broker) -> Status:
    return decode_message(
        [message for message in broker.published if message.topic == TOPICS.status][-1].payload, Status
    )


def test_alerts_are_sent_as_they_come_and_leave_when_confirmed(outbox: Outbox, alert: BuildAlert) -> None:
    broker = Broker(outbox.epoch, confirms=True)
    publisher = Publisher(
        outbox, NOWHERE, TOPICS, SESSION, receiver_id="monitor", open_connection=broker.open
    )
    publisher.start()
    outbox.put(alert)
    broker.connect()
    assert broker.next_alert() == 1
    outbox.put(alert)
    assert broker.next_alert() == 2
    publisher.stop(10)
    assert outbox.is_empty
    assert publisher.counts.sent == 2
    assert broker.stopped


def test_stopping_says_offline(outbox: Outbox) -> None:
    broker = Broker(outbox.epoch, confirms=True)
    publisher = Publisher(
        outbox, NOWHERE, TOPICS, SESSION, receiver_id="monitor", open_connection=broker.open
    )
    publisher.start()
    broker.connect()
    publisher.stop(10)
    assert _last_state(broker).state == "offline"
    publisher.stop(10)


def test_stopping_waits_for_what_is_not_delivered(outbox: Outbox, alert: BuildAlert) -> None:
    broker = Broker(outbox.epoch, confirms=False)
    publisher = Publisher(
        outbox, NOWHERE, TOPICS, SESSION, receiver_id="monitor", open_connection=broker.open
    )
    publisher.start()
    broker.connect()
    outbox.put(alert)
    assert broker.next_alert() == 1
    stopping = threading.Thread(target=publisher.stop, args=(60.0,))
    stopping.start()
    stopping.join(0.2)
    assert stopping.is_alive()
    broker.confirm(1)
    stopping.join(60)
    assert outbox.is_empty
    assert _last_state(broker).state == "offline"


def test_stopping_waits_no_longer_than_it_may(outbox: Outbox, alert: BuildAlert) -> None:
    broker = Broker(outbox.epoch, confirms=False)
    publisher = Publisher(
        outbox, NOWHERE, TOPICS, SESSION, receiver_id="monitor", open_connection=broker.open
    )
    publisher.start()
    broker.connect()
    outbox.put(alert)
    outbox.put(alert)
    assert [broker.next_alert(), broker.next_alert()] == [1, 2]
    broker.confirm(1)
    publisher.stop(0.05)
    assert [row.seq for row in outbox.next_rows(10)] == [2]
    assert _last_state(broker).state == "offline"
    assert "the receiver 'monitor' does not confirm it" in publisher.why_waiting


def test_stopping_without_a_connection_loses_nothing(outbox: Outbox, alert: BuildAlert) -> None:
    broker = Broker(outbox.epoch, confirms=False)
    publisher = Publisher(
        outbox, NOWHERE, TOPICS, SESSION, receiver_id="monitor", open_connection=broker.open
    )
    publisher.start()
    outbox.put(alert).wait(60)
    publisher.stop(0.05)
    assert outbox.counts().pending == 1
    assert publisher.why_waiting == "there was no connection to the broker yet"


def test_the_will_says_offline_with_our_session(outbox: Outbox) -> None:
    broker = Broker(outbox.epoch, confirms=False)
    Publisher(outbox, NOWHERE, TOPICS, SESSION, delivery="puback", open_connection=broker.open)
    assert broker.will is not None
    status = decode_message(broker.will.payload, Status)
    assert (broker.will.topic, status.state, status.session) == (TOPICS.status, "offline", SESSION)


@pytest.mark.parametrize(("delivery", "subscribed"), [("receipt", True), ("puback", False)])
def test_receipts_are_subscribed_where_they_count(outbox: Outbox, delivery: str, *, subscribed: bool) -> None:
    broker = Broker(outbox.epoch, confirms=False)
    Publisher(
        outbox,
        NOWHERE,
        TOPICS,
        SESSION,
        delivery=delivery,  # type: ignore[arg-type]
        receiver_id="monitor",
        open_connection=broker.open,
    )
    assert (TOPICS.receipt in broker.subscriptions) == subscribed


def test_delivery_by_receipt_needs_a_receiver(outbox: Outbox) -> None:
    with pytest.raises(ConfigError, match="receiver"):
        Publisher(outbox, NOWHERE, TOPICS, SESSION)


def test_a_refusal_is_told_once_until_its_reason_changes(outbox: Outbox) -> None:
    broker = Broker(outbox.epoch, confirms=True)
    faults: Queue[EdgeSdkError] = Queue()
    publisher = Publisher(
        outbox, NOWHERE, TOPICS, SESSION, delivery="puback", open_connection=broker.open, on_fault=faults.put
    )
    publisher.start()
    for reason in ("wrong password", "wrong password", "no such host"):
        publisher.failed(BrokerError(reason))
    assert [faults.get(timeout=60).message for _ in range(2)] == ["wrong password", "no such host"]
    publisher.stop(0)
    assert faults.empty()


def test_a_bug_ends_the_publisher_with_a_word(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(outbox.epoch, confirms=True)
    faults: Queue[EdgeSdkError] = Queue()
    publisher = Publisher(
        outbox, NOWHERE, TOPICS, SESSION, delivery="puback", open_connection=broker.open, on_fault=faults.put
    )

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(publisher._dispatcher, "connected", broken)
    publisher.start()
    broker.connect()
    assert "a bug" in faults.get(timeout=60).message
    publisher.stop(0)
