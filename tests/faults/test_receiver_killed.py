"""The receiver dies without a word, three times, while thousands of alerts are on their way."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_device import FakeDevice

from device.stamper import BuildAlert
from edge_sdk import Store
from edge_sdk.demo.broker import EmbeddedBroker

PART = 500
KILLS = 3
SENT_AGAIN = 100


@pytest.fixture
def start_monitor(nats: EmbeddedBroker, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """``edge-sdk monitor`` as a process, once it is connected."""
    started: list[subprocess.Popen[str]] = []
    command = [sys.executable, "-m", "edge_sdk.cli", "monitor", "--broker", nats.url]

    def start() -> subprocess.Popen[str]:
        database = str(tmp_path / "alerts.db")
        process = subprocess.Popen([*command, "--database", database], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert any("connected to" in line for line in process.stdout), "the monitor ended at once"
        return process

    yield start
    for process in started:
        kill(process)


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def kill_with_work_left(
    process: subprocess.Popen[str],
    box: Any,
    alerts: Iterator[BuildAlert],
    start_monitor: Callable[[], subprocess.Popen[str]],
) -> int:
    """Give the monitor alerts, and kill it before it has stored all; how many that took.

    Where it was done before it was dead, another one gets more.
    """
    put = 0
    while True:
        box.put_all(itertools.islice(alerts, PART))
        put += PART
        box.wait_until_pending(at_most=PART // 2)
        kill(process)
        if box.outbox.counts().pending > 0:
            return put
        process = start_monitor()


def test_nothing_is_lost_and_duplicates_are_dropped(
    nats: EmbeddedBroker,
    start_monitor: Callable[[], subprocess.Popen[str]],
    device: Callable[..., Any],
    alert: Callable[[int], BuildAlert],
    tmp_path: Path,
) -> None:
    # What was under way to the dead receiver is sent again by the broker after 3 s, or by the device
    # after 60 s; a test has no time for that.
    box = device(nats.url, resend_s=1.0)
    box.publisher.start()
    alerts = map(alert, itertools.count())
    put = 0
    for _ in range(KILLS):
        put += kill_with_work_left(start_monitor(), box, alerts, start_monitor)
    start_monitor()
    box.put_all(itertools.islice(alerts, PART))
    put += PART
    box.wait_until_pending(at_most=0)

    with Store(tmp_path / "alerts.db", read_only=True) as store:
        events = [received.message.event_id for received in store.alerts(limit=2 * put)]
        assert len(events) == len(set(events)) == put >= (KILLS + 1) * PART
        assert store.missing() == []
        send_again(nats.url, store)
        assert store.counts().alerts == put
        assert store.counts().duplicates >= SENT_AGAIN
        assert store.counts().conflicts == store.counts().bad_payloads == 0


def send_again(url: str, store: Store) -> None:
    """The same bytes once more, until the monitor has confirmed them once more."""
    again = store.alerts(limit=SENT_AGAIN)
    numbers = {received.message.seq for received in again}
    site, device = again[0].message.site, again[0].message.device
    with FakeDevice(url, site, device) as twin:
        for received in again:
            twin.send_bytes(received.topic, received.payload)
        twin.wait_until(lambda: numbers <= twin.confirmed)
