"""The will of a dead process that comes late does not make a living device look dead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any

import pytest

from edge_sdk.contract.messages import Status, decode_message, encode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.errors import BrokerError
from edge_sdk.mqtt.client import MqttConnection
from edge_sdk.mqtt.connection import ReceivedMessage
from edge_sdk.mqtt.settings import BrokerSettings

TOPICS = Topics("forest", "box-7")
DEAD = "0190c1f0-0000-7000-8000-0000000000dd"


class Watcher:
    """Somebody who looks at the status."""

    def __init__(self, broker: EmbeddedBroker, name: str) -> None:
        self.states: Queue[tuple[str, bool]] = Queue()
        settings = BrokerSettings("127.0.0.1", broker.port)
        self.connection = MqttConnection(settings, client_id=name, subscriptions=[TOPICS.status])
        self.connection.start(self)
        self.connection.require()

    def connected(self) -> None: ...
    def disconnected(self) -> None: ...
    def acknowledged(self, token: int) -> None: ...
    def failed(self, error: BrokerError) -> None: ...

    def received(self, message: ReceivedMessage) -> None:
        status = decode_message(message.payload, Status)
        self.states.put((status.state, message.retained))


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """It sends no state a second time while a test runs."""
    with EmbeddedBroker(redeliver_after_s=600.0) as started:
        yield started


def test_a_late_will_is_contradicted_for_those_who_watch_and_those_who_come_later(
    broker: EmbeddedBroker, device: Callable[..., Any]
) -> None:
    watcher = Watcher(broker, "watcher")
    box = device(broker.url)
    box.publisher.start()
    assert watcher.states.get(timeout=60) == ("online", False)
    will = Status(state="offline", device="box-7", site="forest", session=DEAD)
    watcher.connection.publish(TOPICS.status, encode_message(will), retain=True)
    assert watcher.states.get(timeout=60) == ("offline", False)
    assert watcher.states.get(timeout=60) == ("online", False)
    latecomer = Watcher(broker, "latecomer")
    assert latecomer.states.get(timeout=60) == ("online", True)

    box.publisher.stop(0)
    assert watcher.states.get(timeout=60) == ("offline", False)
    watcher.connection.stop()
    latecomer.connection.stop()
