"""The tables of the monitor's database, and opening the file that holds them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ..errors import StoreError

__all__ = ["SCHEMA_VERSION", "open_database", "sqlite_errors"]

SCHEMA_VERSION = 1

_APPLICATION_ID = 0x45444745  # "EDGE": so that another program's file is never written into
_BUSY_TIMEOUT_S = 10.0

_TABLES = """
CREATE TABLE stream (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    device TEXT NOT NULL,
    epoch TEXT NOT NULL,
    UNIQUE (site, device, epoch)
);
-- What devices count. `id` is the order of arrival.
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES stream (id),
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('alert', 'coverage', 'dropped')),
    received_at TEXT NOT NULL,
    digest BLOB NOT NULL,
    payload BLOB NOT NULL,
    event_id TEXT,
    label TEXT,
    started_at TEXT,
    UNIQUE (stream, seq)
);
CREATE INDEX message_event ON message (stream, event_id, seq) WHERE event_id IS NOT NULL;
CREATE INDEX message_started ON message (started_at) WHERE started_at IS NOT NULL;
-- Retained states, one row a change, the latest of each device.
CREATE TABLE state (
    id INTEGER PRIMARY KEY,
    site TEXT NOT NULL,
    device TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('status', 'reported')),
    received_at TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX state_device ON state (site, device, kind, id);
-- What was refused, as it came, with its key where that could be read.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    digest BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('bad_payload', 'conflict')),
    reason TEXT NOT NULL,
    stream INTEGER REFERENCES stream (id),
    seq INTEGER,
    received_at TEXT NOT NULL,
    payload BLOB NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    UNIQUE (topic, digest)
);
CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) WITHOUT ROWID;
"""


@contextlib.contextmanager
def sqlite_errors(action: str, path: Path) -> Iterator[None]:
    """Turn SQLite's errors into :class:`StoreError`, with a hint for the kinds that a person can mend."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"cannot {action} the database {path}: {error}", hint=_hint(error, path)) from error


def _hint(error: sqlite3.Error, path: Path) -> str | None:
    text = str(error)
    if "locked" in text or "busy" in text:
        return "another process is writing to it; stop that process, or give this one a file of its own"
    if "not a database" in text or "malformed" in text:
        return "the file is damaged: move it away; devices send again whatever was not confirmed"
    if "full" in text:
        return "the disk is full: free some space; devices keep what was not confirmed"
    if "readonly" in text or "unable to open" in text:
        return f"is {path.parent} a folder that this user may write to? SQLite needs files beside its own"
    return None


def open_database(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """Open the file, or make it.

    Raises:
        StoreError: There is no such file to read; it cannot be opened; it belongs to another program,
            or to a newer version of this one.
    """
    if read_only and not path.is_file():
        raise StoreError(f"there is no database {path}", hint="edge-sdk monitor --database FILE makes one")
    with sqlite_errors("open", path):
        connection = _connect(path, read_only=read_only)
        try:
            if not read_only:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
            _check_or_create(connection, path, read_only=read_only)
        except BaseException:
            connection.close()
            raise
    return connection


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    # The store guards the connection with a lock of its own, so any thread may use it. Transactions
    # are begun and ended in words, as the module's own bookkeeping would commit too early.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        timeout=_BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
    )


def _check_or_create(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
    if not read_only:
        connection.execute("BEGIN IMMEDIATE")  # two monitors that start at once make one schema
    try:
        if _is_empty(connection):
            _create(connection, path, read_only=read_only)
        else:
            _check(connection, path)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if connection.in_transaction:
        connection.execute("COMMIT")


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _create(connection: sqlite3.Connection, path: Path, *, read_only: bool) -> None:
    if read_only:
        raise StoreError(f"{path} holds no alerts yet", hint="edge-sdk monitor --database FILE fills it")
    for statement in _TABLES.split(";"):
        connection.execute(statement)  # one by one: executescript() would commit
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
        raise StoreError(f"{path} is another program's database", hint="name a file of its own")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema version {version}; this edge-sdk knows versions up to {SCHEMA_VERSION}",
            hint="use the newer edge-sdk that wrote it: pip install --upgrade edge-sdk",
        )
