"""Messages that wait on disk until the receiver has confirmed them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TypeAlias, final

from edge_sdk.contract.messages import Alert, SeqRange
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import MessageError, OutboxError

from . import rows
from .announcement import Announcement
from .database import Owner
from .encoding import encode_counted
from .eviction import make_room
from .opening import OpenedFolder, open_folder
from .priority import Counted, Priority, priority_of
from .reader import OutboxCounts, Reader
from .rows import QuarantineReason, Row
from .ticket import Ticket
from .writer import Commit, Job, Writer

__all__ = ["Build", "Outbox", "OutboxCounts"]

Build: TypeAlias = Callable[[str, int], Counted]
"""Makes a message for the epoch and the number that it is given."""

_MAX_WAITING = 20_000  # jobs in memory while the disk fails


@final
class Outbox:
    """A durable queue in a folder of its own, for one process; thread-safe. Made by :meth:`open`.

    Attributes:
        epoch: Random 64-bit value made with the file, 16 hex digits.
        kept_aside: Where a damaged file was moved, if one was found. Its messages were not sent.
        redirected_from: The broker that messages were waiting for and that they go past now.
    """

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        site: str,
        device: str,
        broker: str | None = None,
        redirect: bool = False,
        disk_budget_bytes: int = 256 * 1024 * 1024,
        commit: Commit = sqlite3.Connection.commit,
        on_fault: Callable[[OutboxError], None] = lambda _: None,
    ) -> Outbox:
        """Open the outbox of a folder, or begin one.

        Args:
            folder: Where it is kept; made if needed.
            site: Site of the device, ``[a-z0-9_-]{1,64}``.
            device: Name of the device, ``[a-z0-9_-]{1,64}``.
            broker: Name of the broker that its messages are for:
                :attr:`edge_sdk.mqtt.settings.BrokerSettings.name`. ``None`` where that does not matter.
            redirect: Whether what waits for another broker may go to this one.
            disk_budget_bytes: What database and log may take together, 1 MB or more. When that is not
                enough, what is worth least goes first, and its numbers are sent as
                :class:`~edge_sdk.contract.messages.Dropped` ranges.
            commit: How a transaction becomes durable; for benchmarks and tests.
            on_fault: Told of damage that was found here; later, from the writer's thread, when the disk
                begins to fail, and by an :class:`~edge_sdk.errors.OutboxFailedError` when only a restart
                can help.

        Raises:
            OutboxError: The folder cannot be written, another process uses it, or its outbox belongs
                to another device. A damaged file is no error: see :attr:`kept_aside`.
            UsageError: Messages wait in it for another broker.
            MessageError: Site or device cannot be part of a topic.
        """
        topics = Topics(site, device)
        opened = open_folder(folder, Owner(topics, broker, redirect), disk_budget_bytes)
        with opened.let_go_on_failure():
            outbox = cls(opened, topics, commit, on_fault)
        for finding in opened.damage():
            on_fault(finding)
        return outbox

    def __init__(
        self,
        opened: OpenedFolder,
        topics: Topics,
        commit: Commit,
        on_fault: Callable[[OutboxError], None],
    ) -> None:
        database = opened.database
        self.epoch = database.heading.epoch
        self.kept_aside = database.kept_aside
        self.redirected_from = database.redirected_from
        self._connection = database.connection
        self._topics = topics
        self._lock_file = opened.lock
        self._limit_bytes = opened.limit_bytes
        self._lock = threading.Lock()
        self._next_seq = database.heading.next_seq
        self._listeners: list[Callable[[], None]] = []
        self._announcement = Announcement(topics, self.epoch)
        self._closed = False
        self._reader = Reader(database.path, database.reading)
        self._left_open = database.open_events
        self._announcement.check(database.connection)
        self._writer = Writer(
            database.connection,
            database.path,
            committed_seq=self._next_seq - 1,
            finish=self._finish_transaction,
            commit=commit,
            on_commit=self._after_commit,
            on_fault=on_fault,
        )
        self._announce_evictions()

    def put(self, build: Build) -> Ticket:
        """Number a message, and have it written. Returns at once, without touching the disk.

        Args:
            build: Makes the message; called here, once. An alert of type ``new`` or ``update`` leaves
                its event open in the same transaction, ``end`` closes it.

        Raises:
            MessageError: The message breaks the schema or is larger than 8 KiB. No number is used up.
            OutboxError: The outbox is closed, or the disk has failed for so long that 20,000 changes
                wait in memory.
        """
        return self._put_together([build])[0]

    def recover(self, end_for: Callable[[Alert], Build]) -> list[Ticket]:
        """Write the end of every event that a crash left open: all in one transaction, each once.

        Args:
            end_for: For the newest alert of an event, what makes its ``end``.
        """
        left, self._left_open = self._left_open, []
        return self._put_together([end_for(alert) for alert in left]) if left else []

    @property
    def fault(self) -> OutboxError | None:
        """Why the disk cannot be written, while it cannot."""
        return self._writer.fault

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Have ``listener`` called, from the writer's thread, after each commit."""
        self._listeners.append(listener)

    def next_rows(self, limit: int, skip: Collection[int] = ()) -> list[Row]:
        """What to send next: committed, by priority, then oldest first, without the numbers in ``skip``.

        Coverage may still be merged until it is handed out for the first time; that is noted on disk
        first, so such a row comes with a later call.

        Raises:
            OutboxError: The database cannot be read.
        """
        ready: list[Row] = []
        for row in self._reader.next_rows(limit, skip):
            if row.priority is Priority.COVERAGE and not row.handed_out:
                self._submit(partial(rows.mark_handed_out, priority=row.priority, seq=row.seq))
            else:
                ready.append(row)
        return ready

    def confirm(self, ranges: Sequence[SeqRange]) -> None:
        """Let go of what the receiver has stored.

        Raises:
            MessageError: A number was never given out, so the confirmation is not for this outbox.
        """
        self._check(ranges)
        self._submit(partial(rows.delete, ranges=ranges), self._reader.hide(ranges))

    def quarantine(self, ranges: Sequence[SeqRange], reason: QuarantineReason) -> None:
        """Keep messages, but send them no more: the receiver rejects them, or they end connections.

        What is set aside for ending connections gets another chance when the outbox is next opened.

        Raises:
            MessageError: A number was never given out.
        """
        self._check(ranges)
        job = partial(rows.quarantine, ranges=ranges, reason=reason)
        self._submit(job, self._reader.hide(ranges))

    def counts(self) -> OutboxCounts:
        """What the outbox holds on disk."""
        return self._reader.counts()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, in memory or on disk."""
        return self._writer.waiting == 0 and self._reader.is_empty()

    def close(self) -> None:
        """Write what waits and close the file. May be called twice.

        Raises:
            OutboxError: Something could not be written.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        try:
            self._writer.close()
        finally:
            self._reader.close()
            self._connection.close()
            self._lock_file.release()

    def __enter__(self) -> Outbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _put_together(self, builds: Sequence[Build]) -> list[Ticket]:
        with self._lock:
            if self._writer.waiting >= _MAX_WAITING:
                raise OutboxError(
                    f"{self._writer.waiting} changes wait in memory for the disk; no more are taken",
                    hint=str(self._writer.fault or "the disk is too slow"),
                )
            first = self._next_seq
            messages = [build(self.epoch, seq) for seq, build in enumerate(builds, first)]
            written = [
                (
                    message,
                    Row(priority_of(message), seq, *encode_counted(message, self._topics, self.epoch, seq)),
                )
                for seq, message in enumerate(messages, first)
            ]
            last = first + len(builds) - 1
            size_bytes = sum(len(row.payload) for _, row in written)
            self._writer.submit(Job(partial(_insert, written=written), last, size_bytes))
            self._next_seq = last + 1
        return [Ticket(self._writer, seq) for seq in range(first, last + 1)]

    def _submit(
        self, apply: Callable[[sqlite3.Connection], None], done: Callable[[], None] | None = None
    ) -> None:
        self._writer.submit(Job(apply, done=done))

    def _check(self, ranges: Sequence[SeqRange]) -> None:
        for first, last in ranges:
            if not 1 <= first <= last < self._next_seq:
                raise MessageError(f"the range {first} to {last} is not one of this outbox")

    def _finish_transaction(self, connection: sqlite3.Connection, last_seq: int) -> None:
        if last_seq:
            connection.execute("UPDATE meta SET next_seq = ?", (last_seq + 1,))
        make_room(connection, self._limit_bytes)
        self._announcement.check(connection)

    def _after_commit(self) -> None:
        self._announce_evictions()
        for listener in self._listeners:
            listener()

    def _announce_evictions(self) -> None:
        if not self._announcement.is_wanted:
            return
        with self._lock:
            if not self._closed:  # else it is due again when the outbox is next opened
                self._writer.submit(self._announcement.job(self._next_seq))
                self._next_seq += 1


def _insert(connection: sqlite3.Connection, written: Sequence[tuple[Counted, Row]]) -> None:
    for message, row in written:
        rows.insert(connection, row)
        if isinstance(message, Alert):
            rows.keep_open_event(connection, message, row.payload)
