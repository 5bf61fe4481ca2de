"""A device that is killed loses nothing that was on disk, and ends each event once."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.monitor.receiver import Monitor
from edge_sdk.monitor.store import Store

EVENTS = 1000  # two alerts each

Process = subprocess.Popen[str]
Steps = Counter[tuple[str, str]]


def _read(process: Process, lines: int) -> list[tuple[str, str]]:
    """So many steps that the device says are on disk, or fewer if it ends."""
    assert process.stdout is not None
    steps: list[tuple[str, str]] = []
    for line in process.stdout:
        event_id, kind = line.split()
        steps.append((event_id, kind))
        if len(steps) == lines:
            break
    return steps


def test_nothing_is_lost_when_the_device_is_killed_three_times(
    nats: EmbeddedBroker,
    monitor: Callable[[str], Monitor],
    device_process: Callable[..., Process],
    stored_steps: Callable[[], Steps],
    store: Store,
) -> None:
    monitor(nats.url)
    on_disk: list[tuple[str, str]] = []
    first = 0
    for _ in range(3):
        process = device_process(nats.url, EVENTS, first)
        on_disk += _read(process, lines=EVENTS // 2)
        process.kill()
        process.wait()
        on_disk += _read(process, lines=EVENTS * 2)  # what it had said before it died
        first += EVENTS  # so that no event of a dead process is begun again
    last = device_process(nats.url, EVENTS // 4, first)
    on_disk += _read(last, lines=EVENTS * 2)
    assert last.wait(240) == 0

    assert len(on_disk) >= 2000
    stored = stored_steps()
    assert set(on_disk) - set(stored) == set()
    assert set(stored.values()) == {1}
    events = {event_id for event_id, kind in stored if kind == "new"}
    assert all(stored[event_id, "end"] == 1 for event_id in events)
    assert store.missing() == []


def test_an_event_that_is_open_when_the_device_is_killed_is_ended_once(
    nats: EmbeddedBroker,
    monitor: Callable[[str], Monitor],
    device_process: Callable[..., Process],
    stored_steps: Callable[[], Steps],
    store: Store,
) -> None:
    monitor(nats.url)
    listening = device_process(nats.url, 1, 1, "--open")
    ((event_id, _),) = _read(listening, lines=1)
    listening.kill()
    listening.wait()
    for first in (100, 200):  # the second restart must not end it again
        assert device_process(nats.url, 1, first).wait(240) == 0
    assert stored_steps()[event_id, "new"] == 1
    assert stored_steps()[event_id, "end"] == 1
    (event,) = (event for event in store.events() if event.alert.event_id == event_id)
    assert event.alert.end_reason == "restarted"


def test_a_device_killed_offline_delivers_after_the_restart(
    nats: EmbeddedBroker,
    monitor: Callable[[str], Monitor],
    device_process: Callable[..., Process],
    stored_steps: Callable[[], Steps],
    tmp_path: Path,
) -> None:
    offline = device_process("-", EVENTS, 0)
    on_disk = _read(offline, lines=200)
    offline.kill()
    offline.wait()
    monitor(nats.url)
    assert device_process(nats.url, 1, EVENTS).wait(240) == 0
    stored = stored_steps()
    assert set(on_disk) - set(stored) == set()
    assert set(stored.values()) == {1}
