"""Opening the file; a damaged one is kept aside under another name, and a new one begun."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from edge_sdk.contract.messages import Alert
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import OutboxError, OutboxFailedError

from . import rows
from .destination import claim
from .integrity import Heading, read_heading, require_sound, set_damaged_rows_aside, sound_open_events
from .lock import folder_hint
from .schema import SCHEMA_VERSION, connect, create

__all__ = ["OpenedDatabase", "Owner", "open_database", "outbox_error"]

_LOGGER = logging.getLogger(__name__)

FILE_NAME = "outbox.sqlite"


class Owner(NamedTuple):
    """Whose messages are kept, and for whom.

    Attributes:
        topics: Site and device.
        broker: The broker's name; ``None`` where that does not matter.
        redirect: Whether what waits for another broker may go to this one.
    """

    topics: Topics
    broker: str | None = None
    redirect: bool = False


class OpenedDatabase(NamedTuple):
    """A database that holds.

    Attributes:
        path: The file.
        connection: For the writer.
        reading: For readers.
        heading: Whose it is, its epoch, and the number of the next message.
        open_events: The newest alert of each event that was open when the last process ended.
        damaged_rows: How many rows did not hold, and were put out of the way.
        kept_aside: Where a damaged file was moved, if one was found.
        redirected_from: The broker that messages were waiting for and that they go past now.
    """

    path: Path
    connection: sqlite3.Connection
    reading: sqlite3.Connection
    heading: Heading
    open_events: list[Alert]
    damaged_rows: int
    kept_aside: Path | None = None
    redirected_from: str | None = None


def open_database(folder: Path, owner: Owner, *, wal_pages: int) -> OpenedDatabase:
    """Open the outbox of a folder, or begin one. All of it is read, to find damage before work starts.

    Raises:
        OutboxError: The file cannot be written, is another device's, or was made by a newer version.
        UsageError: Messages wait in it for another broker.
    """
    path = folder / FILE_NAME
    try:
        try:
            return _open(path, owner, wal_pages)
        except sqlite3.DatabaseError as error:
            if not _is_damage(error):
                raise
            aside = _keep_aside(path, error)
        return _open(path, owner, wal_pages)._replace(kept_aside=aside)
    except sqlite3.Error as error:
        raise outbox_error(path, error) from error
    except OSError as error:
        raise OutboxError(
            f"cannot use the outbox {path}: {error.strerror}", hint=folder_hint(folder, error)
        ) from error


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the bytes in the file are wrong, rather than the disk or the rights."""
    # SQLITE_CORRUPT and SQLITE_NOTADB are the codes that Python gives no class of their own. A
    # constraint is broken only where a bit has flipped in a number: we write each number once.
    return type(error) in (sqlite3.DatabaseError, sqlite3.IntegrityError)


def outbox_error(path: Path, error: sqlite3.Error) -> OutboxError:
    """An error of the database, in words."""
    message = f"cannot use the outbox {path}: {error}"
    if _is_damage(error):
        return OutboxFailedError(message, hint="restart: the file is then kept aside, and a new one begun")
    return OutboxError(message, hint=folder_hint(path.parent))


def _open(path: Path, owner: Owner, wal_pages: int) -> OpenedDatabase:
    topics = owner.topics
    with ExitStack() as undo:
        connection = connect(path, wal_pages=wal_pages)
        undo.callback(connection.close)
        require_sound(connection)
        create(connection, topics.site, topics.device)
        _check_version(connection, path)
        heading = read_heading(connection)
        _check_owner(heading, path, topics)
        damaged_rows = _prepare_rows(connection, topics)
        if damaged_rows:
            _LOGGER.error("%d rows of the outbox %s are damaged: kept in it, unsent", damaged_rows, path)
        redirected = None
        if owner.broker is not None:
            redirected = claim(connection, path, owner.broker, redirect=owner.redirect)
        reading = connect(path, wal_pages=0)
        undo.callback(reading.close)
        events = sound_open_events(reading)
        _sync_folder(path.parent)
        undo.pop_all()
    return OpenedDatabase(
        path, connection, reading, heading, events, damaged_rows, redirected_from=redirected
    )


def _prepare_rows(connection: sqlite3.Connection, topics: Topics) -> int:
    """Give what was set aside another chance, then put away what does not hold; how many rows."""
    connection.execute("BEGIN IMMEDIATE")
    rows.retry_set_aside(connection)
    damaged_rows = set_damaged_rows_aside(connection, topics)
    connection.execute("COMMIT")
    return damaged_rows


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


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise OutboxError(
            f"the outbox {path} has version {version}; this release knows {SCHEMA_VERSION}",
            hint="run the release that made it until it is empty, or name another folder",
        )


def _check_owner(heading: Heading, path: Path, topics: Topics) -> None:
    if (heading.site, heading.device) != (topics.site, topics.device):
        raise OutboxError(
            f"the outbox {path} belongs to {heading.site}.{heading.device}, "
            f"not to {topics.site}.{topics.device}",
            hint="its alerts can only be sent under the name they carry: give the new name another folder",
        )
