"""What travels over MQTT: one struct a message, JSON, UTF-8.

Times are ISO 8601 UTC with milliseconds and ``Z``. Scores are 0..1 and never travel without their
threshold. A message's key is ``(site, device, epoch, seq)``; receivers deduplicate on it alone.
Readers ignore fields they do not know.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ..errors import MessageError
from .identifiers import LabelId, Score, Sha256
from .values import ClockSource, EndReason, EventType

__all__ = [
    "ALERT_MAX_BYTES",
    "MESSAGE_VERSION",
    "Alert",
    "BundleReference",
    "Clock",
    "Coverage",
    "Dropped",
    "ModelReference",
    "Probe",
    "Receipt",
    "RefusedChoice",
    "Reported",
    "SelfTest",
    "SourceCoverage",
    "Status",
    "decode_message",
    "encode_message",
    "format_utc",
    "parse_utc",
]

MessageVersion: TypeAlias = Literal[1]
"""A message of another version is refused, and told: it may mean something else."""

MESSAGE_VERSION: MessageVersion = 1
ALERT_MAX_BYTES = 8 * 1024

Utc: TypeAlias = Annotated[
    str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$(?!\n)")
]
Uuid: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$(?!\n)")]
Epoch: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$(?!\n)")]
TopicName: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,64}$(?!\n)")]
Seq: TypeAlias = Annotated[int, Meta(ge=1)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0.0)]
SeqRange: TypeAlias = tuple[Seq, Seq]


class ModelReference(Struct, frozen=True, kw_only=True):
    """Which model said so; ``sha256`` is that of the variant's file."""

    name: str
    version: str
    variant: str
    sha256: Sha256


class Clock(Struct, frozen=True, kw_only=True):
    """Where the times come from, and whether that clock was in step with the world's."""

    source: ClockSource
    synced: bool


class Alert(Struct, frozen=True, kw_only=True):
    """``up/alert/{label_id}``: one step in the life of one event.

    Attributes:
        event_id: UUIDv7, the same for ``new``, every ``update`` and ``end``.
        epoch: Random 64-bit value made with the outbox file, 16 hex digits.
        seq: Counts without gaps within an epoch, from 1.
        session: UUID of the device process.
        score: The peak so far.
        ended_at: End of the sound; with ``new`` and ``update`` the end of what was heard so far.
        uptime_s: Seconds since boot when this was decided.
        count: Detections in the event so far, where the task counts.
    """

    schema_version: MessageVersion = MESSAGE_VERSION
    event_id: Uuid
    type: EventType
    device: TopicName
    site: TopicName
    epoch: Epoch
    seq: Seq
    session: Uuid
    modality: Literal["audio", "image"]
    label: LabelId
    score: Score
    threshold: Score
    started_at: Utc
    ended_at: Utc | None = None
    end_reason: EndReason | None = None
    source: str
    model: ModelReference
    clock: Clock
    boot_id: str
    uptime_s: Seconds
    level_dbfs: float | UnsetType = UNSET
    count: int | UnsetType = UNSET
    location: tuple[float, float] | UnsetType = UNSET


class Status(Struct, frozen=True, kw_only=True):
    """``up/status``, retained, and the last will: whether the device is there."""

    schema_version: MessageVersion = MESSAGE_VERSION
    state: Literal["online", "offline"]
    device: TopicName
    site: TopicName
    session: Uuid


class SourceCoverage(Struct, frozen=True, kw_only=True):
    """How much of one source was really inspected."""

    source: str
    inspected_s: Seconds
    elapsed_s: Seconds
    faults: dict[str, int] = {}


class Coverage(Struct, frozen=True, kw_only=True):
    """``up/coverage``: an error is never a negative, so silence is only worth this much."""

    schema_version: MessageVersion = MESSAGE_VERSION
    device: TopicName
    site: TopicName
    epoch: Epoch
    seq: Seq
    session: Uuid
    started_at: Utc
    ended_at: Utc
    sources: list[SourceCoverage]


class Dropped(Struct, frozen=True, kw_only=True):
    """``up/dropped``: ranges of ``seq`` that will never come, because the disk was full."""

    schema_version: MessageVersion = MESSAGE_VERSION
    device: TopicName
    site: TopicName
    epoch: Epoch
    seq: Seq
    ranges: list[SeqRange]
    counts: dict[str, int]


class BundleReference(Struct, frozen=True, kw_only=True):
    """A bundle by name and by content."""

    name: str
    version: str
    sha256: Sha256


class SelfTest(Struct, frozen=True, kw_only=True):
    """Outcome of the golden samples on this device."""

    passed: bool
    max_abs_difference: float
    bound: float


class RefusedChoice(Struct, frozen=True, kw_only=True):
    """A variant that was to be run before the one that runs, on a backend, and does not work there.

    Attributes:
        reason: Why: a library or a driver is missing, an engine was not built, memory ran out, the golden
            samples failed.
    """

    variant: str
    backend: str
    reason: str


class Reported(Struct, frozen=True, kw_only=True):
    """``up/reported``, retained: what the device runs, and what of it and its outbox needs somebody's care.

    Attributes:
        backend: What runs the variant: ``tflite``, ``onnx`` or ``tensorrt``; null from devices that do not
            tell.
        refused: What was to be run before it and does not work, in that order: empty where all is as wanted.
        set_aside: Messages that the broker would not take.
        unconfirmed: Messages under way that the broker took and the receiver leaves unconfirmed for longer
            than the resend time.
        kept_aside: Name of the file that was found damaged at the start; its messages were not sent.
    """

    schema_version: MessageVersion = MESSAGE_VERSION
    device: TopicName
    site: TopicName
    session: Uuid
    bundle: BundleReference
    variant: str
    signed: bool
    versions: dict[str, str]
    self_test: SelfTest | None = None
    release: str | None = None
    set_aside: Annotated[int, Meta(ge=0)] = 0
    unconfirmed: Annotated[int, Meta(ge=0)] = 0
    kept_aside: str | None = None
    backend: str | None = None
    refused: list[RefusedChoice] = []


class Receipt(Struct, frozen=True, kw_only=True):
    """``down/receipt``: what the one durable receiver has committed, or refused for good."""

    schema_version: MessageVersion = MESSAGE_VERSION
    receiver_id: str
    epoch: Epoch
    ranges: list[SeqRange] = []
    rejected: list[SeqRange] = []


class Probe(Struct, frozen=True, kw_only=True):
    """``up/probe``: sent to oneself at connect, to find a refusal at once."""

    schema_version: MessageVersion = MESSAGE_VERSION
    session: Uuid
    nonce: str


_MessageT = TypeVar("_MessageT", bound=Struct)


def encode_message(message: Struct) -> bytes:
    """The message as compact JSON, UTF-8."""
    return msgspec.json.encode(message)


def decode_message(payload: bytes, message_type: type[_MessageT]) -> _MessageT:
    """Read and check one message.

    Raises:
        MessageError: It is not JSON, or breaks the schema; the message names the field.
    """
    try:
        return msgspec.json.decode(payload, type=message_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"{message_type.__name__.lower()} message does not hold: {error}") from error


def format_utc(moment: datetime) -> str:
    """An aware time as ISO 8601 UTC with milliseconds and ``Z``, rounded down."""
    if moment.tzinfo is None:
        raise MessageError(f"the time {moment.isoformat()} has no time zone")
    utc = moment if moment.tzinfo is timezone.utc else moment.astimezone(timezone.utc)
    return utc.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_utc(text: str) -> datetime:
    """The inverse of :func:`format_utc`.

    Raises:
        MessageError: It is no such time.
    """
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise MessageError(f"'{text}' is not a UTC time with milliseconds and Z") from error
