"""A link that breaks again and again: everything arrives, and no message is blamed for it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from device.stamper import BuildAlert
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.monitor.receiver import Monitor
from edge_sdk.monitor.store import Store

ALERTS = 2000
BYTES_A_CONNECTION = 60_000


class BadLink:
    """Lets so many bytes of each connection through, and then cuts it in the middle."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._upstream_port))
            answers = threading.Thread(target=self._pump, args=(far, near, None), daemon=True)
            answers.start()
            self._pump(near, far, BYTES_A_CONNECTION)
            answers.join()
            near.close()
            far.close()
            self.cuts += 1

    def _pump(self, source: socket.socket, sink: socket.socket, allowed: int | None) -> None:
        try:
            while allowed is None or allowed > 0:
                data = source.recv(4096)
                if not data:
                    break
                sink.sendall(data if allowed is None else data[:allowed])
                allowed = None if allowed is None else allowed - len(data)
        except OSError:
            pass
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def bad_link(nats: EmbeddedBroker) -> Iterator[BadLink]:
    link = BadLink(nats.port)
    yield link
    link.close()


def test_everything_arrives_over_a_link_that_is_cut_again_and_again(
    nats: EmbeddedBroker,
    bad_link: BadLink,
    monitor: Callable[[str], Monitor],
    device: Callable[..., Any],
    alert: Callable[[int], BuildAlert],
    stored_steps: Callable[[], Counter[tuple[str, str]]],
    store: Store,
) -> None:
    monitor(nats.url)
    box = device(f"mqtt://127.0.0.1:{bad_link.port}")
    box.put_all(alert(index) for index in range(ALERTS))
    box.publisher.start()
    box.wait_until_pending(at_most=0)
    box.publisher.stop(0)
    stored = stored_steps()
    assert len(stored) == ALERTS
    assert set(stored.values()) == {1}
    assert store.missing() == []
    assert bad_link.cuts > 10
    assert box.publisher.counts.set_aside == 0
