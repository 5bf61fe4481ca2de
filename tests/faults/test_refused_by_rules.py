"""A broker whose rules forbid what the device publishes, and which acknowledges it all the same."""

from __future__ import annotations

from collections.abc import Callable
from queue import Queue
from typing import Any

import pytest

from device.stamper import BuildAlert
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.errors import BrokerError
from edge_sdk.mqtt.settings import BrokerSettings


@pytest.mark.parametrize("delivery", ["receipt", "puback"])
def test_a_forbidden_publish_is_found_at_once_and_nothing_is_let_go(
    device: Callable[..., Any], alert: Callable[[int], BuildAlert], delivery: str
) -> None:
    users = [
        "authorization {",
        '  users: [{user: "box", password: "p", permissions: {publish: {deny: "edge.>"}}}]',
        "}",
    ]
    with EmbeddedBroker(extra_configuration=users) as guarded:
        settings = BrokerSettings("127.0.0.1", guarded.port, user="box", password="p")
        faults: Queue[BrokerError] = Queue()
        box = device(settings, delivery=delivery, probe_s=0.2, on_fault=faults.put)
        box.outbox.put(alert(1)).wait(60)
        box.publisher.start()
        fault = faults.get(timeout=60)
        up = "edge/v1/forest/box-7/up"
        named = f"what device forest.box-7 publishes to {up}/probe as user 'box' does not come back"
        assert fault.message.startswith(named)
        assert f"'topic readwrite {up}/#'" in str(fault.hint)
        assert "does not come back" in faults.get(timeout=60).message  # it goes on asking
        assert box.outbox.counts().pending == 1
        assert box.publisher.counts.sent == 0
        box.publisher.stop(0)
