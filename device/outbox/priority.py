"""What is sent sooner, and what goes first when the disk is full."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeAlias

from edge_sdk.contract.messages import Alert, Coverage, Dropped

__all__ = ["Counted", "Priority", "priority_of"]

Counted: TypeAlias = Alert | Coverage | Dropped
"""The messages that carry ``epoch`` and ``seq``."""


class Priority(IntEnum):
    """The smaller number is sent sooner and evicted later.

    An update is superseded by the next one and by the end of its event, so it goes first when the
    disk is full, and waits longest when a link comes back.
    """

    ALERT = 0
    DROPPED = 1
    COVERAGE = 2
    UPDATE = 3


def priority_of(message: Counted) -> Priority:
    """The priority that its kind has."""
    if isinstance(message, Alert):
        return Priority.UPDATE if message.type == "update" else Priority.ALERT
    return Priority.COVERAGE if isinstance(message, Coverage) else Priority.DROPPED
