"""A device without a microphone: it sends what it is given, and again over each new connection.

Over a connection that stands a broker loses nothing: what was not confirmed there is not sent again, so
that tests can count copies.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import final

from device_messages import topic_of

from edge_sdk.contract.messages import Receipt, decode_message, encode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import BrokerError
from edge_sdk.monitor.incoming import Counted, Message
from edge_sdk.mqtt.backoff import Backoff
from edge_sdk.mqtt.client import MqttConnection
from edge_sdk.mqtt.connection import ReceivedMessage
from edge_sdk.mqtt.settings import BrokerSettings

__all__ = ["FakeDevice"]

_PATIENCE_S = 120.0


@final
class FakeDevice:
    """Publishes over a real connection, and takes receipts."""

    def __init__(self, url: str, site: str, device: str) -> None:
        self.receipts: list[Receipt] = []
        self.confirmed: set[int] = set()
        self.rejected: set[int] = set()
        self._topics = Topics(site, device)
        self._unconfirmed: dict[int, tuple[str, bytes]] = {}
        self._acknowledged: set[int] = set()
        self._tokens = 0
        self._changed = threading.Condition()
        self._connection = MqttConnection(
            BrokerSettings.from_url(url, environment={}),
            client_id=f"device-{uuid.uuid4().hex[:12]}",
            subscriptions=[self._topics.receipt],
            backoff=Backoff(first_s=0.1, limit_s=0.2),
        )

    def __enter__(self) -> FakeDevice:
        self._connection.start(self)
        self._connection.require()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.stop()

    def send(self, message: Message) -> None:
        """Publish, and wait until the broker has it; ask for no receipt."""
        self.send_bytes(topic_of(message), encode_message(message))

    def send_bytes(self, topic: str, payload: bytes) -> None:
        """Publish anything anywhere, and wait until the broker has it."""
        with self._changed:
            self._tokens += 1
            token = self._tokens
        assert self._connection.publish(topic, payload, token=token)
        self.wait_until(lambda: token in self._acknowledged)

    def deliver(self, messages: Iterable[Counted]) -> None:
        """Publish, and again after each reconnection until it is confirmed or rejected."""
        for message in messages:
            topic, payload = topic_of(message), encode_message(message)
            with self._changed:
                self._unconfirmed[message.seq] = (topic, payload)
            self._connection.publish(topic, payload)

    def wait_until_confirmed(self, at_least: int) -> None:
        """Wait for so many receipts."""
        self.wait_until(lambda: len(self.confirmed) >= at_least)

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that a message to the device brings about."""
        with self._changed:
            told = self._changed.wait_for(condition, _PATIENCE_S)
        assert told, f"in {_PATIENCE_S:g} s these numbers were not confirmed: {sorted(self._unconfirmed)}"

    def connected(self) -> None:
        with self._changed:
            unconfirmed = list(self._unconfirmed.values())
        for topic, payload in unconfirmed:
            self._connection.publish(topic, payload)

    def disconnected(self) -> None:
        pass

    def failed(self, error: BrokerError) -> None:
        pass

    def acknowledged(self, token: int) -> None:
        with self._changed:
            self._acknowledged.add(token)
            self._changed.notify_all()

    def received(self, message: ReceivedMessage) -> None:
        receipt = decode_message(message.payload, Receipt)
        with self._changed:
            self.receipts.append(receipt)
            for numbers, ranges in ((self.confirmed, receipt.ranges), (self.rejected, receipt.rejected)):
                for first, last in ranges:
                    numbers.update(range(first, last + 1))
            for seq in self.confirmed | self.rejected:
                self._unconfirmed.pop(seq, None)
            self._changed.notify_all()
