"""What a device sends, made to order, and how a broker would hand it over."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, TypeVar

import msgspec
from example_contract import EPOCH, example_messages

from edge_sdk.contract.messages import Alert, Coverage, Dropped, Reported, Status, encode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.monitor.incoming import Message, RawMessage, Received, StreamKey, parse

__all__ = [
    "DEVICE",
    "EPOCH",
    "NOON",
    "SITE",
    "STREAM",
    "make_alert",
    "make_coverage",
    "make_dropped",
    "make_reported",
    "make_status",
    "raw_message",
    "received_message",
    "topic_of",
]

_MessageT = TypeVar("_MessageT", bound=msgspec.Struct)

SITE = "north"
DEVICE = "box-07"
STREAM = StreamKey(SITE, DEVICE, EPOCH)
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)


def make_alert(seq: int = 1, **changes: Any) -> Alert:
    """The first message of a gunshot, heard until noon."""
    opening = {
        "type": "new",
        "started_at": "2026-11-22T11:59:58.000Z",
        "ended_at": "2026-11-22T12:00:00.000Z",
        "end_reason": None,
    }
    return _changed(Alert, "alert", {"seq": seq} | opening | changes)


def make_coverage(seq: int = 1, **changes: Any) -> Coverage:
    """Ten minutes of a microphone that was heard well."""
    return _changed(Coverage, "coverage", {"seq": seq} | changes)


def make_dropped(seq: int, *ranges: tuple[int, int], **changes: Any) -> Dropped:
    """The device gives up some numbers."""
    return _changed(Dropped, "dropped", {"seq": seq, "ranges": list(ranges)} | changes)


def make_status(**changes: Any) -> Status:
    """The device is there."""
    return _changed(Status, "status", changes)


def make_reported(**changes: Any) -> Reported:
    """What the device runs."""
    return _changed(Reported, "reported", changes)


def topic_of(message: Message) -> str:
    """Where a device publishes it."""
    topics = Topics(message.site, message.device)
    if isinstance(message, Alert):
        return topics.alert(message.label)
    return f"{topics.base}/up/{type(message).__name__.lower()}"


def raw_message(message: Message, received_at: datetime = NOON) -> RawMessage:
    """The message as it comes from a broker."""
    return RawMessage(topic_of(message), encode_message(message), received_at)


def received_message(message: Message, seconds: float = 0.0) -> Received[Message]:
    """The message as it is after it was checked, so long after noon."""
    parsed = parse(raw_message(message, NOON + timedelta(seconds=seconds)))
    assert isinstance(parsed, Received)
    return parsed


def _changed(kind: type[_MessageT], name: str, changes: dict[str, Any]) -> _MessageT:
    example = example_messages()[name]
    assert isinstance(example, kind)
    return msgspec.structs.replace(example, **changes)
