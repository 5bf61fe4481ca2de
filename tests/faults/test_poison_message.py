"""Messages that make the broker hang up are set aside; all the others arrive."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stored_states import wait_for_state

from device.outbox import Outbox
from device.stamper import BuildAlert
from edge_sdk.contract.messages import Reported
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.monitor.receiver import Monitor
from edge_sdk.monitor.store import Store

ALERTS = 2000
OVERSIZE, REFUSED = 5, 1000  # numbers of the poisoned messages


def _poison(database: Path) -> None:
    """What our own checks would never let in, past them."""
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE messages SET payload = zeroblob(1500000) WHERE seq = ?", (OVERSIZE,))
        connection.execute(
            "UPDATE messages SET topic = 'edge/v1/forest/box-7/up/alert/gun shot' WHERE seq = ?", (REFUSED,)
        )
    connection.close()


def test_all_alerts_behind_a_poisoned_one_arrive(
    nats: EmbeddedBroker,
    monitor: Callable[[str], Monitor],
    device: Callable[..., Any],
    alert: Callable[[int], BuildAlert],
    stored_steps: Callable[[], Counter[tuple[str, str]]],
    store: Store,
    tmp_path: Path,
    reported: Reported,
) -> None:
    with Outbox.open(tmp_path / "outbox", site="forest", device="box-7") as outbox:
        for index in range(1, ALERTS + 1):
            outbox.put(alert(index))

    monitor(nats.url)
    faults: list[str] = []
    box = device(nats.url, reported=reported, on_fault=lambda fault: faults.append(fault.message))
    _poison(tmp_path / "outbox" / "outbox.sqlite")  # while it is open: an opening finds bad topics
    box.publisher.start()
    box.wait_until_pending(at_most=0)
    box.publisher.stop(10)

    stored = stored_steps()
    assert len(stored) == ALERTS - 2
    assert set(stored.values()) == {1}
    assert sorted(seq for gap in store.missing() for seq in range(gap.first, gap.last + 1)) == [
        OVERSIZE,
        REFUSED,
    ]
    assert box.outbox.counts().set_aside == 2
    assert box.publisher.counts.set_aside == 2
    for seq in (OVERSIZE, REFUSED):
        assert any(f"message {seq} ended connection after connection" in fault for fault in faults)
    wait_for_state(store, Reported, lambda report: report.set_aside == 2)
