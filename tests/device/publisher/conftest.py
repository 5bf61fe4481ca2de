"""An outbox with alerts, and a dispatcher over a connection without a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from outbox_alerts import DEVICE, SESSION, SITE, alert_to_put

from device.outbox import Outbox
from device.publisher.dispatcher import Dispatcher
from device.publisher.presence import Presence
from device.publisher.window import Window
from device.stamper import BuildAlert
from edge_sdk.contract.messages import (
    BundleReference,
    Probe,
    Receipt,
    Reported,
    decode_message,
    encode_message,
)
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import EdgeSdkError
from edge_sdk.mqtt.connection import ReceivedMessage
from edge_sdk.mqtt.fake import FakeConnection, Published

REPORTED = Reported(
    device=DEVICE,
    site=SITE,
    session=SESSION,
    bundle=BundleReference(name="b", version="1.0.0", sha256="0" * 64),
    variant="int8",
    signed=False,
    versions={},
)


@pytest.fixture
def alert() -> BuildAlert:
    """What ``put`` takes."""
    return alert_to_put()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    """An empty outbox."""
    with Outbox.open(tmp_path / "outbox", site=SITE, device=DEVICE) as opened:
        yield opened


@dataclass
class Bench:
    """A dispatcher, and both ends of its connection."""

    outbox: Outbox
    connection: FakeConnection = field(default_factory=FakeConnection)
    topics: Topics = field(default_factory=lambda: Topics(SITE, DEVICE))
    faults: list[EdgeSdkError] = field(default_factory=list)
    delivery: str = "receipt"

    def __post_init__(self) -> None:
        self.presence = Presence(self.topics, SESSION, REPORTED)
        self.dispatcher = Dispatcher(
            self.outbox,
            self.connection,
            self.topics,
            self.presence,
            Window(8, needs_receipt=self.delivery == "receipt"),
            receiver_id="monitor",
            probe_s=30.0,
            on_fault=self.faults.append,
        )

    def put(self, alert: BuildAlert, number: int) -> None:
        """Put an alert so many times, and wait until all are on disk."""
        tickets = [self.outbox.put(alert) for _ in range(number)]
        tickets[-1].wait(60)

    def connect(self, now: float = 0.0, *, prove: bool = True) -> None:
        """A connection stands, and the probe comes back."""
        self.connection.stands = True
        self.dispatcher.connected(now)
        if prove:
            self.deliver(self.topics.probe, self.published(self.topics.probe)[-1].payload)

    def disconnect(self) -> None:
        """The connection is over."""
        self.connection.stands = False
        self.dispatcher.disconnected()

    def deliver(self, topic: str, payload: bytes, *, retained: bool = False, now: float = 0.0) -> None:
        """A message comes."""
        self.dispatcher.received(ReceivedMessage(topic, payload, retained), now)

    def receipt(self, *, now: float = 0.0, **fields: object) -> None:
        """A receipt comes."""
        given = {"receiver_id": "monitor", "epoch": self.outbox.epoch, **fields}
        self.deliver(self.topics.receipt, encode_message(msgspec.convert(given, Receipt)), now=now)

    def reported(self) -> Reported:
        """What it said last of itself."""
        return decode_message(self.published(self.topics.reported)[-1].payload, Reported)

    def published(self, topic: str) -> list[Published]:
        """What was published on a topic."""
        return [message for message in self.connection.published if message.topic == topic]

    def sent(self) -> list[int]:
        """Numbers of the alerts that were sent, in order."""
        return [message.token for message in self.connection.published if message.token is not None]

    def probe(self) -> Probe:
        """The last probe that was asked."""
        return decode_message(self.published(self.topics.probe)[-1].payload, Probe)


@pytest.fixture
def bench(outbox: Outbox) -> Bench:
    """With receipts."""
    return Bench(outbox)


@pytest.fixture
def puback_bench(outbox: Outbox) -> Bench:
    """Without receipts."""
    return Bench(outbox, delivery="puback")
