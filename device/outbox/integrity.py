"""Finding damage: in the file as a whole, or in what single rows hold.

A file that is damaged as a whole is kept aside by :mod:`.database`. A single row that does not hold
is moved to the table ``damaged``, so that it stops nothing, and what is sound around it is still sent.
"""

from __future__ import annotations

import re
import sqlite3
from typing import NamedTuple

import msgspec

from edge_sdk.contract.messages import Alert, decode_message
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import MessageError

from . import evicted

__all__ = ["Heading", "read_heading", "require_sound", "set_damaged_rows_aside", "sound_open_events"]

_EPOCH = re.compile(r"[0-9a-f]{16}")
_BAD_MESSAGE = (
    "typeof(seq) != 'integer' OR seq < 1 OR priority NOT IN (0, 1, 2, 3) OR typeof(payload) != 'blob' "
    "OR typeof(topic) != 'text' OR topic NOT GLOB :topics OR substr(topic, :rest) GLOB '*[^a-z0-9_/]*'"
)
_KEEP_BAD_MESSAGES = f"INSERT INTO damaged SELECT 'messages', seq, payload FROM messages WHERE {_BAD_MESSAGE}"  # noqa: S608 - constants
_REMOVE_BAD_MESSAGES = f"DELETE FROM messages WHERE {_BAD_MESSAGE}"  # noqa: S608 - constants


class Heading(NamedTuple):
    """The one row of ``meta``."""

    epoch: str
    site: str
    device: str
    next_seq: int


def require_sound(connection: sqlite3.Connection) -> None:
    """Read every page.

    Raises:
        sqlite3.DatabaseError: The pages do not fit together.
    """
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def read_heading(connection: sqlite3.Connection) -> Heading:
    """Whose outbox it is, and how far it has counted.

    Raises:
        sqlite3.DatabaseError: It cannot be true. A number that is given out twice would be a conflict
            at the receiver, so the whole file goes.
    """
    rows = connection.execute(
        "SELECT CAST(epoch AS BLOB), CAST(site AS BLOB), CAST(device AS BLOB), next_seq FROM meta"
    ).fetchall()
    (greatest,) = connection.execute(
        "SELECT max(seq) FROM (SELECT seq FROM messages UNION ALL SELECT seq FROM quarantine "
        "UNION ALL SELECT last FROM evicted) WHERE typeof(seq) = 'integer'"
    ).fetchone()
    try:
        ((epoch, site, device, next_seq),) = rows
        topics = Topics(site.decode("ascii"), device.decode("ascii"))
        heading = Heading(epoch.decode("ascii"), topics.site, topics.device, next_seq)
        holds = _EPOCH.fullmatch(heading.epoch) is not None and next_seq > (greatest or 0)
    except (ValueError, TypeError, AttributeError, MessageError) as error:
        raise sqlite3.DatabaseError(f"its heading does not hold: {error}") from error
    if not holds:
        raise sqlite3.DatabaseError(f"its heading does not hold: {heading}, with messages up to {greatest}")
    return heading


def set_damaged_rows_aside(connection: sqlite3.Connection, topics: Topics) -> int:
    """Move what does not hold out of the way; how many rows. Runs inside a transaction."""
    parameters = {"topics": f"{topics.base}/up/*", "rest": len(topics.base) + 1}
    removed = connection.execute(_KEEP_BAD_MESSAGES, parameters).rowcount
    if removed:
        connection.execute(_REMOVE_BAD_MESSAGES, parameters)
    return removed + _set_events_aside(connection, topics) + _set_evicted_aside(connection)


def sound_open_events(connection: sqlite3.Connection) -> list[Alert]:
    """The newest alert of each open event, in the order of their ids."""
    query = "SELECT payload FROM open_events ORDER BY event_id"
    return [decode_message(payload, Alert) for (payload,) in connection.execute(query)]


def _set_events_aside(connection: sqlite3.Connection, topics: Topics) -> int:
    rows = connection.execute("SELECT CAST(event_id AS BLOB), payload FROM open_events").fetchall()
    bad = [(key, payload) for key, payload in rows if not _is_open_event(key, payload, topics)]
    connection.executemany("INSERT INTO damaged VALUES ('open_events', ?, ?)", bad)
    connection.executemany(
        "DELETE FROM open_events WHERE CAST(event_id AS BLOB) = ?", [(key,) for key, _ in bad]
    )
    return len(bad)


def _is_open_event(key: bytes, payload: object, topics: Topics) -> bool:
    if not isinstance(payload, bytes):
        return False
    try:
        alert = decode_message(payload, Alert)
        topics.alert(alert.label)
    except MessageError:
        return False
    return (alert.event_id.encode(), alert.site, alert.device) == (key, topics.site, topics.device)


def _set_evicted_aside(connection: sqlite3.Connection) -> int:
    rows = connection.execute("SELECT first, last, counts FROM evicted").fetchall()
    bad = [(first, counts) for first, last, counts in rows if not _is_evicted_range(first, last, counts)]
    connection.executemany("INSERT INTO damaged VALUES ('evicted', ?, ?)", bad)
    connection.executemany("DELETE FROM evicted WHERE first = ?", [(first,) for first, _ in bad])
    return len(bad)


def _is_evicted_range(first: int, last: object, counts: object) -> bool:
    if not (isinstance(last, int) and 1 <= first <= last and isinstance(counts, bytes)):
        return False
    try:
        evicted.decode_counts(counts)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
