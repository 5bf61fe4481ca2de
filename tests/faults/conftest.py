"""Brokers that can be killed, a monitor with a real store, and devices as processes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest
from outbox_alerts import DEVICE, SITE, alert_to_put

from device.outbox import Outbox
from device.publisher import Publisher
from device.stamper import BuildAlert
from edge_sdk.contract.messages import BundleReference, Reported
from edge_sdk.contract.topics import Topics
from edge_sdk.demo.broker import EmbeddedBroker, free_port
from edge_sdk.monitor.receiver import Monitor
from edge_sdk.monitor.store import Store
from edge_sdk.mqtt.backoff import Backoff
from edge_sdk.mqtt.client import MqttConnection
from edge_sdk.mqtt.connection import Connection, Will
from edge_sdk.mqtt.settings import BrokerSettings

TOPICS = Topics(SITE, DEVICE)
PATIENCE_S = 240.0  # for what takes seconds; the time limit of a test is longer
DEVICE_PROCESS = Path(__file__).parents[1] / "support" / "device_process.py"


class MortalBroker(Protocol):
    """What tests do to a broker."""

    @property
    def url(self) -> str: ...
    def kill(self) -> None: ...
    def restart(self) -> None: ...


class Mosquitto:
    """A mosquitto that keeps nothing, as its default configuration does."""

    def __init__(self, program: str, folder: Path) -> None:
        self.port = free_port()
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n", encoding="utf-8"
        )
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.restart()

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        self.kill()
        command = [self._program, "-c", str(self._configuration)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)  # another process's readiness can only be asked for
        raise TimeoutError("mosquitto did not start")


@pytest.fixture
def nats() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture(params=["nats", "mosquitto"])
def any_broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MortalBroker]:
    if request.param == "nats":
        yield request.getfixturevalue("nats")
        return
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("mosquitto is not installed")
    broker = Mosquitto(program, tmp_path)
    yield broker
    broker.kill()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "alerts.db") as opened:
        yield opened


@pytest.fixture
def monitor(store: Store) -> Iterator[Callable[[str], Monitor]]:
    """Start the real receiver at a broker."""
    with ExitStack() as stack:

        def start(url: str) -> Monitor:
            settings = BrokerSettings.from_url(url, environment={})
            return stack.enter_context(Monitor(settings, store, on_event=lambda _: None))

        yield start


class Device:
    """An outbox and its publisher in this process, with waiting for what becomes of the messages."""

    def __init__(self, folder: Path, broker: BrokerSettings, **options: Any) -> None:
        self.outbox = Outbox.open(folder, site=SITE, device=DEVICE)
        self._changed = threading.Condition()
        self.outbox.on_commit(self._notify)

        def open_connection(will: Will, subscriptions: Sequence[str]) -> Connection:
            backoff = Backoff(first_s=0.05, limit_s=0.5)
            return MqttConnection(
                broker, client_id="forest:box-7", subscriptions=subscriptions, will=will, backoff=backoff
            )

        options = {"receiver_id": "monitor", "open_connection": open_connection, **options}
        session = "0190c1f0-0000-7000-8000-000000000001"
        self.publisher = Publisher(self.outbox, broker, TOPICS, session, **options)

    def put_all(self, builds: Iterable[BuildAlert]) -> None:
        """Put messages and wait until they are on disk: what waits in memory is not counted yet."""
        tickets = [self.outbox.put(build) for build in builds]
        tickets[-1].wait(PATIENCE_S)

    def wait_until_pending(self, at_most: int) -> None:
        """Wait until no more than so many messages wait."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.outbox.counts().pending <= at_most, PATIENCE_S):
                raise TimeoutError(f"{self.outbox.counts().pending} messages still wait")

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Callable[..., Device]]:
    """Start a device in this process."""
    with ExitStack() as stack:

        def start(broker: BrokerSettings | str, **options: Any) -> Device:
            if isinstance(broker, str):
                broker = BrokerSettings.from_url(broker, environment={})
            started = Device(tmp_path / "outbox", broker, **options)
            stack.callback(started.outbox.close)
            stack.callback(started.publisher.stop, 0.0)
            return started

        yield start


@pytest.fixture
def alert() -> Callable[[int], BuildAlert]:
    """What ``put`` takes, by a number that makes the event."""
    return lambda index: alert_to_put(event_id=str(uuid.UUID(int=index)))


@pytest.fixture
def device_process(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a device as a process of its own; see device_process.py."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, str(DEVICE_PROCESS), str(tmp_path / "outbox"), *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def reported() -> Reported:
    """What the device says it runs."""
    return Reported(
        device=DEVICE,
        site=SITE,
        session="0190c1f0-0000-7000-8000-000000000001",
        bundle=BundleReference(name="b", version="1.0.0", sha256="0" * 64),
        variant="int8",
        signed=False,
        versions={},
    )


@pytest.fixture
def stored_steps(store: Store) -> Callable[[], Counter[tuple[str, str]]]:
    """How often each step of each event was stored."""
    return lambda: Counter(
        (received.message.event_id, received.message.type) for received in store.alerts(limit=100_000)
    )
