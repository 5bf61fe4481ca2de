"""The receiver dies without a word, three times, while two thousand alerts are on their way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from device_messages import DEVICE, SITE, make_alert
from fake_device import FakeDevice

from edge_sdk import Store
from edge_sdk.demo.broker import EmbeddedBroker

ALERTS = 2_000
KILLS = 3
RESENT = 100


def start_monitor(broker: EmbeddedBroker, database: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edge_sdk.cli", "monitor", "--broker", broker.url]
    process = subprocess.Popen([*command, "--database", str(database)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "connected to" in line:
            return process
    raise AssertionError("the monitor ended at once")


def test_nothing_is_lost_and_duplicates_are_dropped(tmp_path: Path) -> None:
    database = tmp_path / "alerts.db"
    confirmed_at_kill = []
    with EmbeddedBroker() as broker, FakeDevice(broker.url, SITE, DEVICE) as device:
        process = start_monitor(broker, database)
        for part in range(KILLS + 1):
            first = part * ALERTS // (KILLS + 1) + 1
            last = (part + 1) * ALERTS // (KILLS + 1)
            device.deliver(make_alert(seq) for seq in range(first, last + 1))
            if part == KILLS:
                break
            device.wait_until_confirmed(first + 50)
            process.kill()
            process.communicate()
            confirmed_at_kill.append(set(device.confirmed))
            process = start_monitor(broker, database)
        device.wait_until_confirmed(ALERTS)
        device.confirmed.clear()
        device.deliver(make_alert(seq) for seq in range(1, RESENT + 1))
        device.wait_until_confirmed(RESENT)
        process.terminate()
        process.communicate()

    assert process.returncode == 0
    with Store(database, read_only=True) as store:
        stored = sorted(received.message.seq for received in store.alerts(limit=2 * ALERTS))
        assert stored == list(range(1, ALERTS + 1))
        assert store.counts().duplicates >= RESENT
        assert store.counts().conflicts == store.counts().bad_payloads == 0
        assert store.missing() == []
    assert all(len(confirmed) < ALERTS for confirmed in confirmed_at_kill), "killed while there was work left"
