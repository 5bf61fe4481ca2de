"""The queries: each takes a connection that is inside a transaction, or only reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from edge_sdk.contract.messages import Alert, SeqRange

from .priority import Priority

__all__ = [
    "QuarantineReason",
    "Row",
    "delete",
    "insert",
    "keep_open_event",
    "mark_handed_out",
    "next_rows",
    "quarantine",
    "retry_set_aside",
]

QuarantineReason: TypeAlias = Literal["set_aside", "rejected"]


class Row(NamedTuple):
    """One message as it waits.

    Attributes:
        handed_out: It may have been sent, so its content must stay what it is.
    """

    priority: Priority
    seq: int
    topic: str
    payload: bytes
    handed_out: bool = False


def insert(connection: sqlite3.Connection, row: Row) -> None:
    """Add a message."""
    connection.execute("INSERT INTO messages VALUES (?, ?, ?, ?, ?)", row)


def keep_open_event(connection: sqlite3.Connection, alert: Alert, payload: bytes) -> None:
    """Remember the newest alert of an event until its end."""
    if alert.type == "end":
        connection.execute("DELETE FROM open_events WHERE event_id = ?", (alert.event_id,))
    else:
        connection.execute("INSERT OR REPLACE INTO open_events VALUES (?, ?)", (alert.event_id, payload))


def next_rows(connection: sqlite3.Connection, limit: int, wanted: Callable[[int], bool]) -> list[Row]:
    """Up to ``limit`` messages whose number is wanted, by priority and then oldest first."""
    found: list[Row] = []
    cursor = connection.execute(
        "SELECT priority, seq, topic, payload, handed_out FROM messages ORDER BY priority, seq"
    )
    for priority, seq, topic, payload, handed_out in cursor:
        if wanted(seq):
            found.append(Row(Priority(priority), seq, topic, payload, bool(handed_out)))
            if len(found) == limit:
                break
    cursor.close()
    return found


def mark_handed_out(connection: sqlite3.Connection, priority: Priority, seq: int) -> None:
    """Note that a message may have been sent."""
    connection.execute("UPDATE messages SET handed_out = 1 WHERE priority = ? AND seq = ?", (priority, seq))


def delete(connection: sqlite3.Connection, ranges: Sequence[SeqRange]) -> None:
    """Remove messages; numbers that are not there do not matter."""
    for first, last in ranges:
        for priority in Priority:
            connection.execute(
                "DELETE FROM messages WHERE priority = ? AND seq BETWEEN ? AND ?", (priority, first, last)
            )


def quarantine(connection: sqlite3.Connection, ranges: Sequence[SeqRange], reason: QuarantineReason) -> None:
    """Take messages out of the way, and keep them."""
    for first, last in ranges:
        for priority in Priority:
            connection.execute(
                "INSERT OR REPLACE INTO quarantine SELECT seq, priority, topic, payload, ? FROM messages "
                "WHERE priority = ? AND seq BETWEEN ? AND ?",
                (reason, priority, first, last),
            )
    delete(connection, ranges)


def retry_set_aside(connection: sqlite3.Connection) -> None:
    """Let what ended connections wait again: a broker's limits may have been changed."""
    connection.execute(
        "INSERT OR IGNORE INTO messages SELECT priority, seq, topic, payload, 1 FROM quarantine "
        "WHERE reason = 'set_aside'"
    )
    connection.execute("DELETE FROM quarantine WHERE reason = 'set_aside'")
