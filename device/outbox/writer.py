"""The one thread that writes: everything that waits becomes one transaction, one sync of the disk."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from edge_sdk.errors import OutboxError, OutboxFailedError

from .database import outbox_error

__all__ = ["Commit", "Job", "Writer"]

_LOGGER = logging.getLogger(__name__)

Commit: TypeAlias = Callable[[sqlite3.Connection], object]
"""How a transaction becomes durable; benchmarks and tests put a slower or failing one in its place."""

_BATCH_JOBS = 256
_BATCH_BYTES = 64 * 1024
_RETRY_S = (0.1, 0.5, 2.0, 5.0)


class Job(NamedTuple):
    """One step in a transaction; repeated whole if the transaction fails.

    Attributes:
        apply: Runs inside the transaction.
        seq: Number of the last message it writes, 0 for none.
        size_bytes: About how much it writes.
        done: Runs after the commit, in the writer's thread.
    """

    apply: Callable[[sqlite3.Connection], None]
    seq: int = 0
    size_bytes: int = 0
    done: Callable[[], None] | None = None


class Writer:
    """Commits jobs in the order they came, in groups.

    While one group is being synced the next one gathers, so a slow disk makes groups larger and not
    callers slower. A group that cannot be written stays in memory and is tried again.

    Args:
        connection: Used by this thread alone.
        path: The file, for messages.
        committed_seq: Number of the last message that is on disk.
        finish: Runs at the end of each transaction, inside it, with the last number that it writes (0 for
            none).
        commit: How a transaction becomes durable.
        on_commit: Told after each commit.
        on_fault: Told once for each run of failed attempts, and again when they turn out to be for good
            (:class:`OutboxFailedError`).
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        *,
        committed_seq: int,
        finish: Callable[[sqlite3.Connection, int], None],
        commit: Commit,
        on_commit: Callable[[], None],
        on_fault: Callable[[OutboxError], None],
    ) -> None:
        self.committed_seq = committed_seq
        self.fault: OutboxError | None = None
        self._connection = connection
        self._path = path
        self._finish = finish
        self._commit = commit
        self._on_commit = on_commit
        self._on_fault = on_fault
        self._jobs: deque[Job] = deque()
        self._closing = False
        lock = threading.Lock()
        self._work = threading.Condition(lock)
        self._progress = threading.Condition(lock)
        self._thread = threading.Thread(target=self._run, name="outbox-writer", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Jobs that are not yet on disk."""
        return len(self._jobs)

    def submit(self, job: Job) -> None:
        """Add a job; returns at once.

        Raises:
            OutboxError: The outbox is closed.
        """
        with self._work:
            if self._closing:
                raise OutboxError(f"the outbox {self._path} is closed")
            self._jobs.append(job)
            self._work.notify()

    def wait_for(self, seq: int, timeout_s: float | None) -> None:
        """Wait until a message is on disk.

        Raises:
            OutboxError: The last attempt to write failed, or the time is over.
        """
        with self._progress:
            self._progress.wait_for(lambda: self.committed_seq >= seq or self.fault is not None, timeout_s)
            if self.committed_seq >= seq:
                return
            if self.fault is not None:
                raise type(self.fault)(self.fault.message, hint=self.fault.hint) from self.fault
        raise OutboxError(f"message {seq} was not on disk within {timeout_s:g} s")

    def close(self) -> None:
        """Write what waits, with one last attempt if the disk fails, and end the thread.

        Raises:
            OutboxError: Something could not be written; it is lost with this process.
        """
        with self._work:
            self._closing = True
            self._work.notify()
        self._thread.join()
        if self.fault is not None:
            raise type(self.fault)(
                f"{len(self._jobs)} changes to the outbox {self._path} could not be written: "
                f"{self.fault.message}",
                hint=self.fault.hint,
            ) from self.fault

    def _run(self) -> None:
        """The outer edge of the thread: what is no fault of the disk ends it, and is told to all."""
        try:
            self._write_groups()
        except Exception as error:
            _LOGGER.exception("the writer of the outbox %s has ended", self._path)
            with self._work:
                self._closing = True
            self._failed(OutboxFailedError(f"the writer of the outbox {self._path} has ended: {error!r}"))

    def _write_groups(self) -> None:
        failures = 0
        while group := self._next_group():
            is_last_attempt = self._closing
            if self._write(group):
                failures = 0
                self._succeeded(group)
            elif is_last_attempt:
                return
            else:
                self._pause(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1

    def _next_group(self) -> list[Job]:
        """What waits, up to a bounded transaction; empty when all is done and the outbox closes.

        Jobs stay in the queue until they are committed.
        """
        with self._work:
            self._work.wait_for(lambda: self._jobs or self._closing)
            group: list[Job] = []
            size_bytes = 0
            for job in self._jobs:
                group.append(job)
                size_bytes += job.size_bytes
                if len(group) == _BATCH_JOBS or size_bytes >= _BATCH_BYTES:
                    break
            return group

    def _write(self, group: list[Job]) -> bool:
        """One transaction; whether it is on disk."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in group:
                job.apply(self._connection)
            self._finish(self._connection, max(job.seq for job in group))
            self._commit(self._connection)
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):  # the failure that matters is told below
                self._connection.rollback()
            self._failed(outbox_error(self._path, error))
            return False
        return True

    def _succeeded(self, group: list[Job]) -> None:
        with self._progress:
            for _ in group:
                self._jobs.popleft()
            self.committed_seq = max(self.committed_seq, *(job.seq for job in group))
            if self.fault is not None:
                _LOGGER.warning("the outbox %s can be written again", self._path)
                self.fault = None
            self._progress.notify_all()
        for job in group:
            if job.done is not None:
                job.done()
        self._on_commit()

    def _failed(self, error: OutboxError) -> None:
        with self._progress:
            is_news = type(self.fault) is not type(error)
            self.fault = error
            self._progress.notify_all()
        if is_news:
            _LOGGER.error("%s; what waits is kept in memory", error.message)
            self._on_fault(error)

    def _pause(self, seconds: float) -> None:
        with self._work:
            self._work.wait_for(lambda: self._closing, seconds)
