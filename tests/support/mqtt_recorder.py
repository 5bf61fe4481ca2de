"""A listener to an MQTT connection that lets a test wait for what it was told."""

from __future__ import annotations

from collections.abc import Callable
from queue import Queue
from typing import TypeAlias

from edge_sdk.errors import BrokerError
from edge_sdk.mqtt.client import MqttConnection
from edge_sdk.mqtt.connection import ReceivedMessage

__all__ = ["Connect", "Recorder"]

_PATIENCE_S = 120.0


class Recorder:
    """Keeps what it is told until a test asks for it."""

    def __init__(self) -> None:
        self.events: Queue[tuple[str, object]] = Queue()

    def connected(self) -> None:
        self.events.put(("connected", None))

    def disconnected(self) -> None:
        self.events.put(("disconnected", None))

    def acknowledged(self, token: int) -> None:
        self.events.put(("acknowledged", token))

    def received(self, message: ReceivedMessage) -> None:
        self.events.put(("received", message))

    def failed(self, error: BrokerError) -> None:
        self.events.put(("failed", error))

    def next(self, kind: str) -> object:
        """What came with the next event of a kind; those before it are forgotten."""
        while True:
            event, value = self.events.get(timeout=_PATIENCE_S)
            if event == kind:
                return value


Connect: TypeAlias = Callable[..., tuple[MqttConnection, Recorder]]
"""Starts a connection that ends with the test: settings or an address, and what ``MqttConnection`` takes."""
