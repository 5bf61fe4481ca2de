"""One broker for all tests of this folder; each test has a site of its own, with one device, and a store."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from device_messages import DEVICE, make_alert
from fake_device import FakeDevice

from edge_sdk.contract.messages import Alert
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.monitor.store import Store


@pytest.fixture(scope="session")
def broker() -> Iterator[EmbeddedBroker]:
    """It sends nothing a second time while a test runs, so that tests can count copies."""
    with EmbeddedBroker(redeliver_after_s=600.0) as started:
        yield started


@pytest.fixture
def site() -> str:
    return f"site-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def device(broker: EmbeddedBroker, site: str) -> Iterator[FakeDevice]:
    with FakeDevice(broker.url, site, DEVICE) as connected:
        yield connected


@pytest.fixture
def alert(site: str) -> Callable[..., Alert]:
    return lambda seq, **changes: make_alert(seq, site=site, **changes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store is made."""
    return tmp_path / "alerts.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """Empty, and closed with the test."""
    with Store(path) as opened:
        yield opened
