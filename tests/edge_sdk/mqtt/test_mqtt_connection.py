"""A connection against a real broker, and against servers that refuse in every known way."""

from __future__ import annotations

import gc
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import TypeAlias

import psutil
import pytest

from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.errors import BrokerError, MessageError
from edge_sdk.mqtt.backoff import Backoff
from edge_sdk.mqtt.client import MqttConnection
from edge_sdk.mqtt.connection import ReceivedMessage, Will
from edge_sdk.mqtt.settings import BrokerSettings

QUICK = Backoff(first_s=0.02, limit_s=0.1)
Serve: TypeAlias = Callable[[bytes], BrokerSettings]


class Recorder:
    """A listener that lets a test wait for what it was told."""

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
        while True:
            event, value = self.events.get(timeout=10)
            if event == kind:
                return value


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as embedded:
        yield embedded


@pytest.fixture
def connect() -> Iterator[Callable[..., tuple[MqttConnection, Recorder]]]:
    """Start a connection that ends with the test."""
    opened: list[MqttConnection] = []

    def start(settings: BrokerSettings | str, **options: object) -> tuple[MqttConnection, Recorder]:
        if isinstance(settings, str):
            settings = BrokerSettings.from_url(settings, environment={})
        options.setdefault("client_id", f"client-{len(opened)}")
        connection = MqttConnection(settings, backoff=QUICK, **options)  # type: ignore[arg-type]
        recorder = Recorder()
        connection.start(recorder)
        opened.append(connection)
        return connection, recorder

    yield start
    for connection in opened:
        connection.stop()


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
                with client:
                    client.recv(1024)
                    client.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        return BrokerSettings("127.0.0.1", server.getsockname()[1])

    yield start
    server.shutdown(socket.SHUT_RDWR)
    server.close()


def test_a_message_goes_from_one_connection_to_another(
    broker: EmbeddedBroker, connect: Callable[..., tuple[MqttConnection, Recorder]]
) -> None:
    _, listener = connect(broker.url, subscriptions=["there/#"])
    listener.next("connected")
    sender, acknowledgements = connect(broker.url)
    acknowledgements.next("connected")
    assert sender.publish("there/x", b"hello", token=42)
    assert acknowledgements.next("acknowledged") == 42
    assert listener.next("received") == ReceivedMessage("there/x", b"hello")


def test_a_retained_message_is_marked_for_whoever_comes_later(
    broker: EmbeddedBroker, connect: Callable[..., tuple[MqttConnection, Recorder]]
) -> None:
    sender, acknowledgements = connect(broker.url)
    sender.require()
    assert sender.publish("kept/x", b"state", retain=True, token=1)
    acknowledgements.next("acknowledged")
    _, listener = connect(broker.url, subscriptions=["kept/+"])
    assert listener.next("received") == ReceivedMessage("kept/x", b"state", retained=True)


def test_comes_back_and_subscribes_again_after_the_broker_was_killed(
    connect: Callable[..., tuple[MqttConnection, Recorder]],
) -> None:
    with EmbeddedBroker() as mortal:
        connection, recorder = connect(mortal.url, subscriptions=["a/b"])
        recorder.next("connected")
        mortal.kill()
        recorder.next("disconnected")
        assert not connection.publish("a/b", b"lost")
        assert "broke" in str(recorder.next("failed"))
        mortal.restart()
        recorder.next("connected")
        assert connection.publish("a/b", b"again")
        assert recorder.next("received") == ReceivedMessage("a/b", b"again")
        connection.stop()


def test_connections_that_are_over_leave_no_file_open(
    broker: EmbeddedBroker, connect: Callable[..., tuple[MqttConnection, Recorder]]
) -> None:
    """A device on a bad link makes many; waiting for the garbage collector would be too long."""
    gc.collect()
    gc.disable()
    try:
        before = psutil.Process().num_fds()
        for _ in range(3):
            connection, _ = connect(broker.url)
            connection.require()
            connection.stop()
        assert psutil.Process().num_fds() == before
    finally:
        gc.enable()


def test_the_will_comes_when_a_client_vanishes_and_not_when_it_says_goodbye(
    broker: EmbeddedBroker, connect: Callable[..., tuple[MqttConnection, Recorder]]
) -> None:
    _, watcher = connect(broker.url, subscriptions=["will/+"])
    watcher.next("connected")
    polite, _ = connect(broker.url, client_id="polite", will=Will("will/polite", b"gone"))
    polite.require()
    polite.stop()
    rude, _ = connect(broker.url, client_id="rude", will=Will("will/rude", b"gone"))
    rude.require()
    assert rude._attempt is not None
    link = rude._attempt._client.socket()
    assert isinstance(link, socket.socket)
    link.shutdown(socket.SHUT_RDWR)
    received = watcher.next("received")
    assert isinstance(received, ReceivedMessage)
    assert received.topic == "will/rude"


def test_what_cannot_travel_over_mqtt_is_refused_at_once(
    broker: EmbeddedBroker, connect: Callable[..., tuple[MqttConnection, Recorder]]
) -> None:
    connection, _ = connect(broker.url)
    connection.require()
    for topic in ("a/#", "", "x" * 70_000, "surrogate-\ud800"):
        with pytest.raises(MessageError):
            connection.publish(topic, b"")


@pytest.mark.parametrize(
    ("code", "words"),
    [(1, "MQTT 3.1.1"), (2, "client id"), (3, "not available"), (4, "password"), (5, "not authorized")],
)
def test_a_refusal_is_told_in_words(
    serve: Serve, connect: Callable[..., tuple[MqttConnection, Recorder]], code: int, words: str
) -> None:
    connection, recorder = connect(serve(bytes([0x20, 2, 0, code])))
    with pytest.raises(BrokerError, match=words) as caught:
        connection.require()
    assert caught.value.hint
    recorder.next("failed")
    recorder.next("failed")  # it goes on trying


def test_a_wrong_password_is_refused_by_a_real_broker(
    connect: Callable[..., tuple[MqttConnection, Recorder]],
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
    connect: Callable[..., tuple[MqttConnection, Recorder]],
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
    connect: Callable[..., tuple[MqttConnection, Recorder]],
) -> None:
    connection, _ = connect("mqtt://no-such-host.invalid")
    with pytest.raises(BrokerError, match=r"no-such-host\.invalid"):
        connection.require()


def test_a_port_where_nothing_listens_is_named(
    connect: Callable[..., tuple[MqttConnection, Recorder]],
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        connection, _ = connect(f"mqtt://127.0.0.1:{port}")
        with pytest.raises(BrokerError, match=f"nothing listens on mqtt://127.0.0.1:{port}"):
            connection.require()


def test_a_server_that_is_no_broker_is_told(
    serve: Serve, connect: Callable[..., tuple[MqttConnection, Recorder]]
) -> None:
    connection, _ = connect(serve(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(BrokerError, match=r"is this an MQTT broker|does not speak MQTT"):
        connection.require()


def test_a_server_that_never_answers_the_login_is_given_up(
    connect: Callable[..., tuple[MqttConnection, Recorder]],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # the system takes connections for it
        settings = BrokerSettings("127.0.0.1", server.getsockname()[1], connect_timeout_s=0.1)
        connection, recorder = connect(settings)
        with pytest.raises(BrokerError, match="did not answer the login"):
            connection.require()
        recorder.next("failed")
        recorder.next("failed")  # it goes on trying
        connection.stop()


def test_two_clients_of_one_name_are_told_so_and_do_not_fill_the_log(
    broker: EmbeddedBroker,
    connect: Callable[..., tuple[MqttConnection, Recorder]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The broker ends the older connection each time that the other client comes back."""
    who = {"client_id": "twin", "namesake": "another device use the name forest.box-7"}
    _, one = connect(broker.url, **who)
    one.next("connected")
    connect(broker.url, **who)
    question = "does another device use the name forest.box-7?"
    while question not in str(one.next("failed")):
        pass
    for _ in range(3):  # the broker has each twin wait for a second
        assert question in str(one.next("failed"))
    told = [record.getMessage() for record in caplog.records if question in record.getMessage()]
    assert len(told) <= 2, "once by each"


def test_a_connection_that_has_lasted_makes_every_reason_news_again(
    connect: Callable[..., tuple[MqttConnection, Recorder]], caplog: pytest.LogCaptureFixture
) -> None:
    with EmbeddedBroker() as mortal:
        connection, recorder = connect(mortal.url, lasting_s=0.0)
        for _ in range(3):
            recorder.next("connected")
            mortal.kill()
            recorder.next("failed")
            mortal.restart()
        recorder.next("connected")
        connection.stop()
    assert sum(" broke: " in record.getMessage() for record in caplog.records) == 3


@pytest.fixture
def serve_tls(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A TLS server on loopback that grants every CONNECT; its port and its certificate."""
    cert, key = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_grant_over_tls, args=(server, context), daemon=True).start()
        yield server.getsockname()[1], cert
        server.shutdown(socket.SHUT_RDWR)


# paho drops the socket of a failed handshake without closing it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_certificate_of_a_stranger_is_not_trusted(
    serve_tls: tuple[int, Path], connect: Callable[..., tuple[MqttConnection, Recorder]]
) -> None:
    port, _ = serve_tls
    connection, _ = connect(f"mqtts://127.0.0.1:{port}")
    with pytest.raises(BrokerError, match="not to be trusted"):
        connection.require()
    connection.stop()


def test_a_certificate_of_a_named_authority_is_trusted(
    serve_tls: tuple[int, Path], connect: Callable[..., tuple[MqttConnection, Recorder]]
) -> None:
    port, ca = serve_tls
    settings = BrokerSettings.from_url(f"mqtts://127.0.0.1:{port}", ca=ca, environment={})
    connection, recorder = connect(settings)
    connection.require()
    recorder.next("connected")
    connection.stop()


def _self_signed(folder: Path) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, and makes the certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=broker"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


def _grant_over_tls(server: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        with client:
            try:
                with context.wrap_socket(client, server_side=True) as secured:
                    secured.recv(1024)
                    secured.sendall(bytes([0x20, 2, 0, 0]))
                    secured.recv(1024)  # the goodbye
            except OSError:
                continue
