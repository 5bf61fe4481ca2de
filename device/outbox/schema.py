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
        epoch TEXT NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL, next_seq INTEGER NOT NULL, broker TEXT
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
    "CREATE TABLE damaged (origin, key, payload)",  # takes whatever a damaged row may hold
)

_TABLE_NAMES = ("meta", "messages", "quarantine", "open_events", "evicted", "damaged")


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
    """Make the tables and a new epoch in one transaction, unless the file holds something.

    Raises:
        sqlite3.DatabaseError: It says that it is empty, and is not; or it lacks a table.
    """
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version == 0 and not tables:
        for table in _TABLES:
            connection.execute(table)
        meta = (secrets.token_hex(8), site, device)
        connection.execute("INSERT INTO meta (epoch, site, device, next_seq) VALUES (?, ?, ?, 1)", meta)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif version == 0 or (version == SCHEMA_VERSION and not tables.issuperset(_TABLE_NAMES)):
        raise sqlite3.DatabaseError(f"its tables do not hold: {', '.join(sorted(tables)) or 'none'}")
    elif version == SCHEMA_VERSION and "broker" not in _columns(connection, "meta"):
        connection.execute("ALTER TABLE meta ADD COLUMN broker TEXT")  # a file of before it was noted
    connection.execute("COMMIT")


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(name) for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
