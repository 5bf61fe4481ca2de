"""Brokers that refuse, and what is no broker, in every known way: each is told in words."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
from mqtt_recorder import Connect

from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.errors import BrokerError
from edge_sdk.mqtt.settings import BrokerSettings

Serve: TypeAlias = Callable[[bytes], BrokerSettings]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server on loopback that answers any CONNECT with given bytes and hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def start(answer: bytes) -> BrokerSettings:
        def run() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client, contextlib.suppress(OSError):  # the test is over, and the client gone
                    client.recv(1024)
                    client.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        return BrokerSettings("127.0.0.1", server.getsockname()[1])

    yield start
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.mark.parametrize(
    ("code", "words"),
    [(1, "MQTT 3.1.1"), (2, "client id"), (3, "not available"), (4, "password"), (5, "not authorized")],
)
def test_a_refusal_is_told_in_words(serve: Serve, connect: Connect, code: int, words: str) -> None:
    connection, recorder = connect(serve(bytes([0x20, 2, 0, code])))
    with pytest.raises(BrokerError, match=words) as caught:
        connection.require()
    assert caught.value.hint
    recorder.next("failed")
    recorder.next("failed")  # it goes on trying


def test_a_wrong_password_is_refused_by_a_real_broker(
    connect: Connect,
) -> None:
    users = ["authorization {", '  users: [{user: "box", password: "right"}]', "}"]
    with EmbeddedBroker(extra_configuration=users) as guarded:
        for password, accepted in (("wrong", False), ("right", True)):
            settings = BrokerSettings("127.0.0.1", guarded.port, user="box", password=password)
            connection, _ = connect(settings)
            if accepted:
                connection.require()
            else:
                with pytest.raises(BrokerError, match="not authorized"):
                    connection.require()
            connection.stop()


def test_a_forbidden_subscription_is_named(
    connect: Connect,
) -> None:
    users = [
        "authorization {",
        '  users: [{user: "box", password: "p", permissions: {subscribe: {deny: "secret.>"}}}]',
        "}",
    ]
    with EmbeddedBroker(extra_configuration=users) as guarded:
        settings = BrokerSettings("127.0.0.1", guarded.port, user="box", password="p")
        connection, _ = connect(settings, subscriptions=["open/x", "secret/x"])
        with pytest.raises(BrokerError, match="subscription to secret/x"):
            connection.require()
        connection.stop()


def test_a_host_that_does_not_exist_is_named(
    connect: Connect,
) -> None:
    connection, _ = connect("mqtt://no-such-host.invalid")
    with pytest.raises(BrokerError, match=r"no-such-host\.invalid"):
        connection.require()


def test_a_port_where_nothing_listens_is_named(
    connect: Connect,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        connection, _ = connect(f"mqtt://127.0.0.1:{port}")
        with pytest.raises(BrokerError, match=f"nothing listens on mqtt://127.0.0.1:{port}"):
            connection.require()


def test_a_server_that_is_no_broker_is_told(serve: Serve, connect: Connect) -> None:
    connection, _ = connect(serve(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(BrokerError, match=r"is this an MQTT broker|does not speak MQTT"):
        connection.require()


def test_a_server_that_never_answers_the_login_is_given_up(
    connect: Connect,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # the system takes connections for it
        settings = BrokerSettings("127.0.0.1", server.getsockname()[1], connect_timeout_s=0.1)
        connection, recorder = connect(settings)
        with pytest.raises(BrokerError, match="did not answer the login"):
            connection.require()
        recorder.next("failed")
        recorder.next("failed")  # it goes on trying
        connection.stop()
