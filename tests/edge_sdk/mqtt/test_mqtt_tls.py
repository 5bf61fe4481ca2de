"""Whom a connection over TLS believes."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mqtt_recorder import Connect

from edge_sdk.errors import BrokerError
from edge_sdk.mqtt.settings import BrokerSettings


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
def test_a_certificate_of_a_stranger_is_not_trusted(serve_tls: tuple[int, Path], connect: Connect) -> None:
    port, _ = serve_tls
    connection, _ = connect(f"mqtts://127.0.0.1:{port}")
    with pytest.raises(BrokerError, match="not to be trusted"):
        connection.require()
    connection.stop()


def test_a_certificate_of_a_named_authority_is_trusted(serve_tls: tuple[int, Path], connect: Connect) -> None:
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
