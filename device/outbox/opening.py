"""From a folder to an outbox that may be written: locked, held against its budget, sound or begun anew."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge_sdk.errors import OutboxError

from .database import OpenedDatabase, Owner, open_database, outbox_error
from .lock import FolderLock

__all__ = ["OpenedFolder", "open_folder"]

_MIN_DISK_BUDGET_BYTES = 1_000_000
_MAX_LOG_BYTES = 2 * 1024 * 1024
_PAGE_BYTES = 4096


class OpenedFolder(NamedTuple):
    """A folder that is ours.

    Attributes:
        lock: Keeps other processes out.
        database: What is kept in it.
        limit_bytes: What the database may take.
    """

    lock: FolderLock
    database: OpenedDatabase
    limit_bytes: int

    @contextlib.contextmanager
    def let_go_on_failure(self) -> Iterator[None]:
        """Give it back where the outbox on it cannot be made within.

        Raises:
            OutboxError: The database cannot be read or written.
        """
        try:
            yield
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise outbox_error(self.database.path, error) from error
            raise

    def close(self) -> None:
        """Close the database, and let the next process in."""
        self.database.connection.close()
        self.database.reading.close()
        self.lock.release()

    def damage(self) -> Iterator[OutboxError]:
        """What a person should know of a file that was opened all the same."""
        found, hint = self.database, "is the disk failing?"
        if found.kept_aside is not None:
            yield OutboxError(
                f"the outbox {found.path} was damaged: it is kept as {found.kept_aside}, its messages are "
                "not sent, and a new one was begun",
                hint=hint,
            )
        if found.damaged_rows:
            yield OutboxError(
                f"{found.damaged_rows} rows of the outbox {found.path} were damaged: they are kept in it, "
                "and are not sent",
                hint=hint,
            )


def open_folder(folder: Path, owner: Owner, disk_budget_bytes: int) -> OpenedFolder:
    """Lock a folder, and open the database in it.

    Args:
        folder: Made if needed.
        owner: Whose messages are kept, and for whom.
        disk_budget_bytes: What database and log may take together.

    Raises:
        OutboxError: The budget is too small, another process uses the folder, or as
            :func:`.database.open_database`.
        UsageError: Messages wait in it for another broker.
    """
    if disk_budget_bytes < _MIN_DISK_BUDGET_BYTES:
        raise OutboxError(f"a disk budget of {disk_budget_bytes} bytes is too small; 1 MB is the least")
    # The log is copied into the database at a quarter of its share; a group may overshoot that.
    log_bytes = min(disk_budget_bytes // 2, _MAX_LOG_BYTES)
    lock = FolderLock(folder)
    try:
        database = open_database(folder, owner, wal_pages=log_bytes // 4 // _PAGE_BYTES)
    except BaseException:
        lock.release()
        raise
    return OpenedFolder(lock, database, disk_budget_bytes - log_bytes)
