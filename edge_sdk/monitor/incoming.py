"""From an MQTT topic and its bytes to a checked message, or to the reason why it is none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from ..contract.messages import (
    ALERT_MAX_BYTES,
    Alert,
    Coverage,
    Dropped,
    Epoch,
    Reported,
    Seq,
    Status,
    decode_message,
)
from ..contract.topics import Topics, parse_topic
from ..errors import MessageError

__all__ = [
    "BadPayload",
    "Counted",
    "DeviceName",
    "Message",
    "MessageT_co",
    "RawMessage",
    "Received",
    "StreamKey",
    "digest_of",
    "parse",
]

Counted: TypeAlias = Alert | Coverage | Dropped
"""What carries ``epoch`` and ``seq``, and therefore has a key."""

Message: TypeAlias = Alert | Coverage | Dropped | Status | Reported

MessageT_co = TypeVar("MessageT_co", bound=Message, covariant=True)

MAX_SEQ = 2**63 - 1  # what a database can count; a device would need 10^10 years to get there

_BY_TOPIC: Mapping[str, type[Message]] = {
    "up/coverage": Coverage,
    "up/dropped": Dropped,
    "up/status": Status,
    "up/reported": Reported,
}


class DeviceName(NamedTuple):
    """One device."""

    site: str
    device: str


class StreamKey(NamedTuple):
    """What ``seq`` counts within: one outbox file of one device."""

    site: str
    device: str
    epoch: str


@dataclass(frozen=True, slots=True)
class RawMessage:
    """What came from the broker, unread."""

    topic: str
    payload: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Received(Generic[MessageT_co]):
    """A message that holds.

    Attributes:
        message: The alert, or whatever was asked for.
        topic: Where it came from.
        received_at: When this process got it, UTC.
        payload: Its bytes, as the device wrote them.
    """

    message: MessageT_co
    topic: str
    received_at: datetime
    payload: bytes

    @property
    def stream(self) -> StreamKey:
        """The device and epoch; a status has none, so its ``epoch`` is empty."""
        message = self.message
        epoch = "" if isinstance(message, (Status, Reported)) else message.epoch
        return StreamKey(message.site, message.device, epoch)


@dataclass(frozen=True, slots=True)
class BadPayload:
    """A payload on a known topic that does not hold.

    Attributes:
        sender: Who may write to that topic.
        stream: Device and epoch, where the key could still be read.
        seq: The number, where the key could still be read.
        reason: What does not hold.
    """

    topic: str
    payload: bytes
    received_at: datetime
    sender: DeviceName
    reason: str
    stream: StreamKey | None = None
    seq: int | None = None


class _Key(msgspec.Struct):
    """The least that a receipt needs."""

    epoch: Epoch
    seq: Seq


def digest_of(payload: bytes) -> bytes:
    """16 bytes that tell one content from another."""
    return hashlib.blake2b(payload, digest_size=16).digest()


def parse(raw: RawMessage) -> Received[Message] | BadPayload | None:
    """Read one message.

    A payload that names another device, or another label, than the topic it came on is refused: the
    broker's rights are by topic, so the topic is what can be trusted.

    Returns:
        The message; or why it does not hold; or ``None`` for a topic that carries none of ours.
    """
    try:
        topics, rest = parse_topic(raw.topic)
    except MessageError:
        return None
    message_type = Alert if rest.startswith("up/alert/") else _BY_TOPIC.get(rest)
    if message_type is None:
        return None
    try:
        message = _decode(raw, topics, message_type)
    except MessageError as error:
        return _bad_payload(raw, topics, error.message)
    return Received(message, raw.topic, raw.received_at, raw.payload)


def _decode(raw: RawMessage, topics: Topics, message_type: type[Message]) -> Message:
    if message_type is Alert and len(raw.payload) > ALERT_MAX_BYTES:
        raise MessageError(f"alert of {len(raw.payload)} bytes; at most {ALERT_MAX_BYTES} are allowed")
    message: Message = decode_message(raw.payload, message_type)
    if (message.site, message.device) != (topics.site, topics.device):
        raise MessageError(f"it says it is from {message.site}/{message.device}; the topic is not theirs")
    if isinstance(message, Alert) and raw.topic != topics.alert(message.label):
        raise MessageError(f"it is about '{message.label}'; the topic is not")
    if isinstance(message, (Alert, Coverage, Dropped)) and message.seq > MAX_SEQ:
        raise MessageError(f"seq {message.seq} is out of range")
    return message


def _bad_payload(raw: RawMessage, topics: Topics, reason: str) -> BadPayload:
    sender = DeviceName(topics.site, topics.device)
    try:
        key = msgspec.json.decode(raw.payload, type=_Key)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BadPayload(raw.topic, raw.payload, raw.received_at, sender, reason)
    if key.seq > MAX_SEQ:
        return BadPayload(raw.topic, raw.payload, raw.received_at, sender, reason)
    stream = StreamKey(*sender, key.epoch)
    return BadPayload(raw.topic, raw.payload, raw.received_at, sender, reason, stream, key.seq)
