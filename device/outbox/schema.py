"""Tables of the outbox, and how the file is opened so that a commit survives a power cut."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path

__all__ = ["SCHEMA_VERSION", "SYNCHRONOUS", "connect", "create"]

SCHEMA_VERSION = 1

# FULL syncs the write-ahead log at every commit. NORMAL and OFF lose resolved tickets in a power cut;
# tests/faults/test_power_loss.py shows it.
SYNCHRONOUS = "FULL"

# `messages` is clustered by priority and seq: what is sent next, what a receipt removes and what is
# evicted are each neighbours, so that whole pages become free and the file does not grow in holes.
_TABLES = (
    """
    CREATE TABLE meta (
        epoch TEXT NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL, next_seq INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE messages (
        priority INTEGER NOT NULL, seq INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
        handed_out INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (priority, seq)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE quarantine (
        seq INTEGER PRIMARY KEY, priority INTEGER NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL,
        reason TEXT NOT NULL CHECK (reason IN ('set_aside', 'rejected'))
    )
    """,
    "CREATE TABLE open_events (event_id TEXT PRIMARY KEY, payload BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE evicted (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, counts BLOB NOT NULL)",
)


def connect(path: Path, *, wal_pages: int) -> sqlite3.Connection:
    """Open the file for any thread, without implicit transactions.

    Args:
        path: The database.
        wal_pages: Size in pages at which the write-ahead log is copied into the database.
    """
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: fsync alone does not reach the platter
        connection.execute(f"PRAGMA wal_autocheckpoint = {wal_pages}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def create(connection: sqlite3.Connection, site: str, device: str) -> None:
    """Make the tables and a new epoch in one transaction, unless they are there.

    Messages that were set aside get another chance: a broker's limits may have been changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        for table in _TABLES:
            connection.execute(table)
        connection.execute("INSERT INTO meta VALUES (?, ?, ?, 1)", (secrets.token_hex(8), site, device))
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif version == SCHEMA_VERSION:
        connection.execute(
            "INSERT INTO messages SELECT priority, seq, topic, payload, 1 FROM quarantine "
            "WHERE reason = 'set_aside'"
        )
        connection.execute("DELETE FROM quarantine WHERE reason = 'set_aside'")
    connection.execute("COMMIT")
