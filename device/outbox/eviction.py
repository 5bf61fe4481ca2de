"""Keeping the disk budget: what is worth least goes first, and every number that goes is recorded."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import msgspec

from edge_sdk.contract.messages import Coverage, decode_message, encode_message
from edge_sdk.errors import MessageError

from . import evicted
from .coverage import merge_coverage
from .priority import Priority

__all__ = ["make_room", "used_bytes"]

_ROWS_A_STEP = 16


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the database that hold something, this transaction included."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * page_bytes)


def make_room(connection: sqlite3.Connection, limit_bytes: int) -> None:
    """Evict until the database holds at most ``limit_bytes``, or nothing is left that may go.

    In this order, the oldest first: damaged rows; updates; coverage, which is merged and not dropped;
    what the receiver rejected; alerts. Runs inside the transaction that needs the room.
    """
    merged = False
    while used_bytes(connection) > limit_bytes:
        if _forget_damaged(connection) or _evict_messages(connection, Priority.UPDATE, "update"):
            continue
        if not merged:
            merged = True
            _merge_coverage(connection)
            continue
        if not (_evict_quarantined(connection) or _evict_messages(connection, Priority.ALERT, "alert")):
            return


def _forget_damaged(connection: sqlite3.Connection) -> bool:
    """Their numbers cannot be trusted, so nothing is announced."""
    forgotten = connection.execute(
        "DELETE FROM damaged WHERE rowid IN (SELECT rowid FROM damaged LIMIT ?)", (_ROWS_A_STEP,)
    )
    return forgotten.rowcount > 0


def _evict_messages(connection: sqlite3.Connection, priority: Priority, kind: str) -> bool:
    rows = connection.execute(
        "SELECT seq FROM messages WHERE priority = ? ORDER BY seq LIMIT ?", (priority, _ROWS_A_STEP)
    ).fetchall()
    connection.executemany(
        "DELETE FROM messages WHERE priority = ? AND seq = ?", [(priority, seq) for (seq,) in rows]
    )
    evicted.record(connection, [seq for (seq,) in rows], kind)
    return bool(rows)


def _evict_quarantined(connection: sqlite3.Connection) -> bool:
    rows = connection.execute("SELECT seq FROM quarantine ORDER BY seq LIMIT ?", (_ROWS_A_STEP,)).fetchall()
    connection.executemany("DELETE FROM quarantine WHERE seq = ?", rows)
    evicted.record(connection, [seq for (seq,) in rows], "quarantined")
    return bool(rows)


def _merge_coverage(connection: sqlite3.Connection) -> None:
    """Make one message of all coverage that was never sent.

    The newest keeps its number and takes the others' seconds. One that may have been sent stays as
    it is: the same key with other content would count its seconds twice.
    """
    rows = list(_unsent_coverage(connection))
    if len(rows) < 2:
        return
    *older, (newest, _) = rows
    merged = merge_coverage([message for _, message in rows])
    connection.execute(
        "UPDATE messages SET payload = ? WHERE priority = ? AND seq = ?",
        (encode_message(msgspec.structs.replace(merged, seq=newest)), Priority.COVERAGE, newest),
    )
    connection.executemany(
        "DELETE FROM messages WHERE priority = ? AND seq = ?", [(Priority.COVERAGE, seq) for seq, _ in older]
    )
    evicted.record(connection, [seq for seq, _ in older], "coverage_merged")


def _unsent_coverage(connection: sqlite3.Connection) -> Iterator[tuple[int, Coverage]]:
    """What may be merged, by number. What cannot be read stays: the receiver will say so."""
    rows = connection.execute(
        "SELECT seq, payload FROM messages WHERE priority = ? AND handed_out = 0 ORDER BY seq",
        (Priority.COVERAGE,),
    )
    for seq, payload in rows.fetchall():
        with contextlib.suppress(MessageError):
            yield seq, decode_message(payload, Coverage)
