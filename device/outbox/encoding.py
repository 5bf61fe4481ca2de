"""From a message to its topic and bytes, refused here if the receiver would refuse it."""

from __future__ import annotations

from edge_sdk.contract.messages import ALERT_MAX_BYTES, Alert, Coverage, decode_message, encode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import MessageError

from .priority import Counted

__all__ = ["encode_counted"]


def encode_counted(message: Counted, topics: Topics, epoch: str, seq: int) -> tuple[str, bytes]:
    """Topic and payload of a message.

    Reading the bytes back costs some microseconds, and finds a score of NaN or a label with a space
    where its cause is, rather than at a receiver that can only throw it away.

    Raises:
        MessageError: It breaks the schema, is larger than 8 KiB, or carries another key or sender
            than it was given.
    """
    given = (topics.site, topics.device, epoch, seq)
    if (message.site, message.device, message.epoch, message.seq) != given:
        raise MessageError(f"a message for key {given} carries another one: {message}")
    try:
        payload = encode_message(message)
    except (TypeError, ValueError, OverflowError) as error:  # a lone surrogate is a ValueError
        raise MessageError(
            f"a {type(message).__name__.lower()} message cannot be written: {error}"
        ) from error
    if len(payload) > ALERT_MAX_BYTES:
        raise MessageError(
            f"a {type(message).__name__.lower()} message of {len(payload)} bytes "
            f"is larger than {ALERT_MAX_BYTES}",
            hint="shorten the name of its source",
        )
    decode_message(payload, type(message))
    return _topic(message, topics), payload


def _topic(message: Counted, topics: Topics) -> str:
    if isinstance(message, Alert):
        return topics.alert(message.label)
    return topics.coverage if isinstance(message, Coverage) else topics.dropped
