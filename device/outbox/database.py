"""Opening the file; a damaged one is kept aside under another name, and a new one begun."""

from __future__ import annotations

import logging
import os
import sqlite3
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from edge_sdk.errors import OutboxError

from .schema import SCHEMA_VERSION, connect, create

__all__ = ["OpenedDatabase", "open_database", "outbox_error"]

_LOGGER = logging.getLogger(__name__)

FILE_NAME = "outbox.sqlite"


class OpenedDatabase(NamedTuple):
    """A database that holds.

    Attributes:
        path: The file.
        connection: For the writer.
        epoch: Made with the file.
        next_seq: The number of the next message.
        kept_aside: Where a damaged file was moved, if one was found.
    """

    path: Path
    connection: sqlite3.Connection
    epoch: str
    next_seq: int
    kept_aside: Path | None


def open_database(folder: Path, site: str, device: str, *, wal_pages: int) -> OpenedDatabase:
    """Open the outbox of a folder, or begin one.

    Raises:
        OutboxError: The file cannot be written, is another device's, or was made by a newer version.
    """
    path = folder / FILE_NAME
    kept_aside = None
    try:
        try:
            connection = _open(path, site, device, wal_pages)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            kept_aside = _keep_aside(path, error)
            connection = _open(path, site, device, wal_pages)
    except sqlite3.Error as error:
        raise outbox_error(path, error) from error
    except OSError as error:
        raise OutboxError(f"cannot use the outbox {path}: {error.strerror}") from error
    try:
        epoch, next_seq = _check_owner(connection, path, site, device)
    except OutboxError:
        connection.close()
        raise
    return OpenedDatabase(path, connection, epoch, next_seq, kept_aside)


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the bytes in the file are wrong, rather than the disk or the rights."""
    # SQLITE_CORRUPT and SQLITE_NOTADB are the codes that Python gives no class of their own.
    return type(error) is sqlite3.DatabaseError


def outbox_error(path: Path, error: sqlite3.Error) -> OutboxError:
    """An error of the database, in words."""
    if _is_damage(error):
        hint = "restart: the file is then kept aside, and a new one begun"
    else:
        hint = "is the disk full, read-only or failing?"
    return OutboxError(f"cannot use the outbox {path}: {error}", hint=hint)


def _open(path: Path, site: str, device: str, wal_pages: int) -> sqlite3.Connection:
    # A log that is still there means that the last process died, perhaps with the power.
    log = path.with_name(path.name + "-wal")
    suspect = log.exists() and log.stat().st_size > 0
    connection = connect(path, wal_pages=wal_pages)
    try:
        if suspect:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
        create(connection, site, device)
        _sync_folder(path.parent)
    except (sqlite3.Error, OSError):
        connection.close()
        raise
    return connection


def _sync_folder(folder: Path) -> None:
    """Make names durable too.

    SQLite begins a file with a rollback journal and then deletes it. Were that deletion lost in a
    power cut, the journal would come back and roll everything back to an empty file.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keep_aside(path: Path, error: sqlite3.Error) -> Path:
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("", "-journal", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    _LOGGER.error("the outbox %s is damaged (%s): kept as %s, and a new one begun", path, error, aside)
    return aside


def _check_owner(connection: sqlite3.Connection, path: Path, site: str, device: str) -> tuple[str, int]:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise OutboxError(
            f"the outbox {path} has version {version}; this release knows {SCHEMA_VERSION}",
            hint="run the release that made it until it is empty, or name another folder",
        )
    epoch, owner_site, owner, next_seq = connection.execute("SELECT * FROM meta").fetchone()
    if (owner_site, owner) != (site, device):
        raise OutboxError(
            f"the outbox {path} belongs to {owner_site}.{owner}, not to {site}.{device}",
            hint="its alerts can only be sent under the name they carry: give the new name another folder",
        )
    return str(epoch), int(next_seq)
