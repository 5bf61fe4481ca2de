"""A broker that is killed loses nothing, whatever it had acknowledged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from stored_states import wait_for_state

from device.stamper import BuildAlert
from edge_sdk.contract.messages import Status
from edge_sdk.monitor.receiver import Monitor
from edge_sdk.monitor.store import Store

ALERTS = 2000
KILLS = 3
PART = ALERTS // (KILLS + 1)


def test_nothing_is_lost_when_the_broker_is_killed_three_times(
    any_broker: Any,
    monitor: Callable[[str], Monitor],
    device: Callable[..., Any],
    alert: Callable[[int], BuildAlert],
    stored_steps: Callable[[], Counter[tuple[str, str]]],
    store: Store,
) -> None:
    monitor(any_broker.url)
    # A broker that forgets its subscribers acknowledges what it then throws away: only a second
    # sending brings that, and a test has no minute to wait for it.
    box = device(any_broker.url, resend_s=1.0)
    box.publisher.start()
    for kill in range(KILLS):
        box.put_all(alert(kill * PART + index) for index in range(PART))
        box.wait_until_pending(at_most=PART // 2)
        any_broker.kill()
        any_broker.restart()
    box.put_all(alert(KILLS * PART + index) for index in range(PART))
    box.wait_until_pending(at_most=0)

    stored = stored_steps()
    assert len(stored) == ALERTS
    assert set(stored.values()) == {1}
    assert store.missing() == []
    assert box.publisher.counts.set_aside == 0
    wait_for_state(store, Status, lambda status: status.state == "online")
