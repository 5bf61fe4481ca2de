"""Reading what is on disk, beside the writer: only what is committed can be seen."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.messages import SeqRange
from edge_sdk.errors import OutboxError

from . import rows
from .database import outbox_error
from .rows import Row

__all__ = ["OutboxCounts", "Reader"]


@dataclass(frozen=True, slots=True)
class OutboxCounts:
    """What an outbox holds.

    Attributes:
        pending: Messages that wait to be sent or confirmed.
        set_aside: Messages that ended connection after connection.
        rejected: Messages that the receiver refused for good.
    """

    pending: int
    set_aside: int
    rejected: int


class Reader:
    """A connection of its own for any number of threads.

    Numbers that are on their way out are hidden until the writer has removed them, so that what was
    just confirmed is not sent again.

    Args:
        path: The file, for messages.
        connection: Used and closed here.

    Raises:
        OutboxError: Every method, where the database cannot be read.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()
        self._hidden: list[Sequence[SeqRange]] = []
        self._closed = False

    def next_rows(self, limit: int, skip: Collection[int]) -> list[Row]:
        """See :meth:`.outbox.Outbox.next_rows`."""
        with self._lock:
            self._require_open()
            hidden = [span for ranges in self._hidden for span in ranges]

            def wanted(seq: int) -> bool:
                return seq not in skip and not any(first <= seq <= last for first, last in hidden)

            try:
                return rows.next_rows(self._connection, limit, wanted)
            except sqlite3.Error as error:
                raise outbox_error(self._path, error) from error

    def hide(self, ranges: Sequence[SeqRange]) -> Callable[[], None]:
        """Hide numbers; what is returned shows them again."""
        with self._lock:
            self._hidden.append(ranges)

        def show() -> None:
            with self._lock:
                self._hidden.remove(ranges)

        return show

    def is_empty(self) -> bool:
        """Whether no message waits."""
        return not self._all("SELECT 1 FROM messages LIMIT 1")

    def counts(self) -> OutboxCounts:
        """How many messages there are, by what became of them."""
        ((pending,),) = self._all("SELECT COUNT(*) FROM messages")
        reasons = dict(self._all("SELECT reason, COUNT(*) FROM quarantine GROUP BY reason"))
        return OutboxCounts(pending, reasons.get("set_aside", 0), reasons.get("rejected", 0))

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._closed = True
            self._connection.close()

    def _all(self, query: str) -> list[Any]:
        with self._lock:
            self._require_open()
            try:
                return self._connection.execute(query).fetchall()
            except sqlite3.Error as error:
                raise outbox_error(self._path, error) from error

    def _require_open(self) -> None:
        if self._closed:
            raise OutboxError(f"the outbox {self._path} is closed")
