"""What devices send, made to order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, TypeAlias

import msgspec
import pytest

from edge_sdk.contract.messages import (
    Alert,
    Clock,
    Coverage,
    Dropped,
    ModelReference,
    SourceCoverage,
    Status,
    encode_message,
)
from edge_sdk.contract.topics import Topics
from edge_sdk.monitor.incoming import RawMessage

EPOCH = "00000000000000aa"
SESSION = "11111111-2222-4333-8444-555555555555"
NOON = datetime(2026, 5, 4, 12, 0, 0, tzinfo=timezone.utc)

_ALERT = Alert(
    event_id="0196a000-0000-7000-8000-000000000001",
    type="new",
    device="box-1",
    site="ridge",
    epoch=EPOCH,
    seq=1,
    session=SESSION,
    modality="audio",
    label="gunshot",
    score=0.91,
    threshold=0.5,
    started_at="2026-05-04T11:59:58.000Z",
    ended_at="2026-05-04T11:59:59.000Z",
    source="mic://default",
    model=ModelReference(name="forest", version="1.0.0", variant="tflite-int8", sha256="0" * 64),
    clock=Clock(source="ntp", synced=True),
    boot_id="boot",
    uptime_s=12.5,
)

MakeAlert: TypeAlias = Callable[..., Alert]
AsReceived: TypeAlias = Callable[[Any], RawMessage]


@pytest.fixture
def make_alert() -> MakeAlert:
    def make(**changes: Any) -> Alert:
        return msgspec.structs.replace(_ALERT, **changes)

    return make


@pytest.fixture
def coverage() -> Coverage:
    return Coverage(
        device="box-1",
        site="ridge",
        epoch=EPOCH,
        seq=2,
        session=SESSION,
        started_at="2026-05-04T11:50:00.000Z",
        ended_at="2026-05-04T12:00:00.000Z",
        sources=[SourceCoverage(source="mic://default", inspected_s=590.0, elapsed_s=600.0)],
    )


@pytest.fixture
def make_dropped() -> Callable[..., Dropped]:
    def make(seq: int, *ranges: tuple[int, int]) -> Dropped:
        return Dropped(
            device="box-1", site="ridge", epoch=EPOCH, seq=seq, ranges=list(ranges), counts={"alert": 1}
        )

    return make


@pytest.fixture
def online() -> Status:
    return Status(state="online", device="box-1", site="ridge", session=SESSION)


@pytest.fixture
def as_received() -> AsReceived:
    """A message as the broker would hand it over at noon."""

    def receive(message: Any) -> RawMessage:
        topics = Topics(message.site, message.device)
        by_type = {"Coverage": topics.coverage, "Dropped": topics.dropped, "Status": topics.status}
        topic = topics.alert(message.label) if isinstance(message, Alert) else by_type[type(message).__name__]
        return RawMessage(topic, encode_message(message), NOON)

    return receive
