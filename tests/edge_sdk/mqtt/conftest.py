"""Connections that end with their test, and a broker for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mqtt_recorder import Connect, Recorder

from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.mqtt.backoff import Backoff
from edge_sdk.mqtt.client import MqttConnection
from edge_sdk.mqtt.settings import BrokerSettings


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as embedded:
        yield embedded


@pytest.fixture
def connect() -> Iterator[Connect]:
    opened: list[MqttConnection] = []

    def start(settings: BrokerSettings | str, **options: object) -> tuple[MqttConnection, Recorder]:
        if isinstance(settings, str):
            settings = BrokerSettings.from_url(settings, environment={})
        quick = Backoff(first_s=0.02, limit_s=0.1)
        options = {"client_id": f"client-{len(opened)}", "backoff": quick, **options}
        connection = MqttConnection(settings, **options)  # type: ignore[arg-type]
        recorder = Recorder()
        connection.start(recorder)
        opened.append(connection)
        return connection, recorder

    yield start
    for connection in opened:
        connection.stop()
