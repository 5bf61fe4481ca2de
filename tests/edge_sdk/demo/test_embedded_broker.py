"""The embedded broker starts, is killed, comes back with what it held, and says why it does not start."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from mqtt_recorder import Recorder

from edge_sdk.demo.broker import EmbeddedBroker, free_port
from edge_sdk.errors import BrokerError
from edge_sdk.mqtt.client import MqttConnection
from edge_sdk.mqtt.connection import ReceivedMessage
from edge_sdk.mqtt.settings import BrokerSettings

OUTGOING_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as embedded:
        yield embedded


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_answers_on_the_port_of_its_url(broker: EmbeddedBroker) -> None:
    assert broker.url == f"mqtt://127.0.0.1:{broker.port}"
    assert _listens(broker.port)


def test_comes_back_on_the_same_port_after_a_kill(broker: EmbeddedBroker) -> None:
    port, first = broker.port, broker.pid
    broker.kill()
    assert not _listens(port)
    broker.restart()
    assert broker.port == port
    assert broker.pid != first
    assert _listens(port)


def test_a_temporary_store_goes_with_it() -> None:
    with EmbeddedBroker() as embedded:
        store = embedded.log.parent
        assert store.is_dir()
    assert not store.exists()


def test_a_given_store_stays(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "store", sync_always=True):
        pass
    assert "sync_interval: always" in (tmp_path / "store" / "nats-server.conf").read_text("utf-8")
    assert (tmp_path / "store" / "jetstream").is_dir()


def test_a_taken_port_is_an_error(broker: EmbeddedBroker) -> None:
    with pytest.raises(BrokerError, match=f"127.0.0.1:{broker.port}"):
        EmbeddedBroker(port=broker.port)
    assert _listens(broker.port)


def test_a_configuration_that_does_not_hold_is_an_error_with_the_end_of_the_log() -> None:
    with pytest.raises(BrokerError, match="ended at once") as caught:
        EmbeddedBroker(extra_configuration=["no_such_key: 1"])
    assert "no_such_key" in (caught.value.hint or "")


@pytest.mark.skipif(not OUTGOING_PORTS.exists(), reason="only Linux tells which ports it gives")
def test_no_outgoing_connection_can_take_its_port_while_it_is_down() -> None:
    first, last = map(int, OUTGOING_PORTS.read_text(encoding="ascii").split())
    if first < 32_768:
        pytest.skip("this machine was told to give lower ports too")
    assert all(not first <= free_port() <= last for _ in range(20))


def test_what_is_not_acknowledged_comes_again_after_the_given_time() -> None:
    with EmbeddedBroker(redeliver_after_s=0.2) as embedded:
        settings = BrokerSettings.from_url(embedded.url, environment={})
        connection = MqttConnection(settings, client_id="deaf", subscriptions=["a"], manual_acknowledge=True)
        recorder = Recorder()
        connection.start(recorder)
        try:
            connection.require()
            connection.publish("a", b"hello")
            assert [recorder.next("received") for _ in range(2)] == [ReceivedMessage("a", b"hello")] * 2
        finally:
            connection.stop()
