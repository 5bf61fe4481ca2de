"""What was received, on disk: committed first, confirmed to the device after that."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..contract.messages import Alert, Reported, Status
from .incoming import BadPayload, Message, Received
from .seq_ledger import SeqGap
from .store_query import (
    AlertFilter,
    Counts,
    StoredEvent,
    select_alerts,
    select_counts,
    select_events,
    select_missing,
    select_states,
)
from .store_schema import open_database, sqlite_errors
from .store_write import BatchWriter, Outcome

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Outcome", "Store"]


class Store:
    """Alerts, coverage, dropped ranges and states of any number of devices, in one SQLite file.

    May be used from several threads. Other processes may read the file at any time::

        with Store("alerts.db", read_only=True) as store:
            for event in store.events(label="gunshot", limit=10):
                print(event.alert.started_at, event.alert.device, event.alert.score)

    Args:
        path: The file; it is made where it does not exist.
        read_only: Only queries are asked; the file must exist.

    Raises:
        StoreError: The file cannot be opened, belongs to another program, or to a newer version.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self.path = Path(path)
        self._connection = open_database(self.path, read_only=read_only)
        self._lock = threading.Lock()
        self._writer = BatchWriter(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock, sqlite_errors("close", self.path):
            self._connection.close()

    def commit(self, batch: Sequence[Received[Message] | BadPayload]) -> list[Outcome]:
        """Write a batch in one transaction; it is on the disk when this returns.

        Returns:
            What became of each, in order. Only now may the device be told.

        Raises:
            StoreError: Nothing of the batch was written. It may be tried again.
        """
        with self._lock, sqlite_errors("write to", self.path):
            return self._writer.commit(batch)

    def alerts(
        self,
        *,
        site: str | None = None,
        device: str | None = None,
        label: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1000,
    ) -> list[Received[Alert]]:
        """Single messages, the latest start first, and of one start the latest arrival.

        Args:
            site: Only of this site.
            device: Only of devices of this name.
            label: Only of this label id.
            since: Only of sounds that started then or later; with a time zone.
            until: Only of sounds that started before; with a time zone.
            limit: At most so many.

        Raises:
            StoreError: The file cannot be read.
        """
        chosen = AlertFilter(site, device, label, since, until)
        with self._lock, sqlite_errors("read", self.path):
            return select_alerts(self._connection, chosen, limit)

    def events(
        self,
        *,
        site: str | None = None,
        device: str | None = None,
        label: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 1000,
    ) -> list[StoredEvent]:
        """Events, each with its newest alert, the latest start first; arguments as :meth:`alerts`.

        Raises:
            StoreError: The file cannot be read.
        """
        chosen = AlertFilter(site, device, label, since, until)
        with self._lock, sqlite_errors("read", self.path):
            return select_events(self._connection, chosen, limit)

    def states(self) -> list[Received[Status] | Received[Reported]]:
        """The newest status and report of every device.

        Raises:
            StoreError: The file cannot be read.
        """
        with self._lock, sqlite_errors("read", self.path):
            return select_states(self._connection)

    def missing(self) -> list[SeqGap]:
        """Numbers that lie between received ones, did not come, and were not given up by the device.

        Raises:
            StoreError: The file cannot be read.
        """
        with self._lock, sqlite_errors("read", self.path):
            return select_missing(self._connection)

    def counts(self) -> Counts:
        """How much of everything there is, since the file was made.

        Raises:
            StoreError: The file cannot be read.
        """
        with self._lock, sqlite_errors("read", self.path):
            return select_counts(self._connection)
