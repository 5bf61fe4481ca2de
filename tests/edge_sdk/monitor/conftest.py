"""One broker for all tests of this folder; each test has a site of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from edge_sdk.demo.broker import EmbeddedBroker


@pytest.fixture(scope="session")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as started:
        yield started


@pytest.fixture
def site() -> str:
    return f"site-{uuid.uuid4().hex[:12]}"
