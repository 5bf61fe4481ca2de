"""Telling the receiver which numbers will never come."""

from __future__ import annotations

import sqlite3
from functools import partial

from edge_sdk.contract.messages import Dropped
from edge_sdk.contract.topics import Topics

from . import evicted, rows
from .encoding import encode_counted
from .priority import Priority
from .rows import Row
from .writer import Job

__all__ = ["Announcement"]

_RANGES_A_MESSAGE = 300  # keeps the message well below 8 KiB


class Announcement:
    """Decides when a :class:`Dropped` message is due, and writes it.

    At most one waits at a time. While it does, further ranges gather on disk, where neighbours become
    one; so a device that is offline for a month does not fill its disk with announcements.
    """

    def __init__(self, topics: Topics, epoch: str) -> None:
        self._topics = topics
        self._epoch = epoch
        self._due = False
        self._under_way = False

    @property
    def is_wanted(self) -> bool:
        """Whether a message must be numbered and written now."""
        return self._due and not self._under_way

    def check(self, connection: sqlite3.Connection) -> None:
        """Look whether something untold was evicted, and no earlier message about it waits."""
        (due,) = connection.execute(
            "SELECT EXISTS (SELECT 1 FROM evicted) "
            "AND NOT EXISTS (SELECT 1 FROM messages WHERE priority = ?)",
            (Priority.DROPPED,),
        ).fetchone()
        self._due = bool(due)

    def job(self, seq: int) -> Job:
        """What writes the message under the number it was given."""
        self._under_way = True
        return Job(partial(self._write, seq=seq), seq, done=self._written)

    def _written(self) -> None:
        self._under_way = False

    def _write(self, connection: sqlite3.Connection, seq: int) -> None:
        ranges, counts = evicted.take(connection, _RANGES_A_MESSAGE)
        message = Dropped(
            device=self._topics.device,
            site=self._topics.site,
            epoch=self._epoch,
            seq=seq,
            ranges=ranges,
            counts=counts,
        )
        topic, payload = encode_counted(message, self._topics, self._epoch, seq)
        rows.insert(connection, Row(Priority.DROPPED, seq, topic, payload))
