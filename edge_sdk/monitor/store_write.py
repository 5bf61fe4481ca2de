"""Writing a batch of messages in one transaction."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from typing import Literal, TypeAlias, cast

from ..contract.messages import Alert, Reported, Status, format_utc
from .incoming import BadPayload, Counted, DeviceName, Message, Received, StreamKey, digest_of

__all__ = ["BatchWriter", "Outcome"]

Outcome: TypeAlias = Literal[
    "new",
    "duplicate",  # its key and its content are there already
    "conflict",  # its key is there already, with other content; quarantined
    "bad_payload",  # quarantined
    "state",  # a status or a report, which has no key and gets no receipt
]

QUARANTINE_KEPT = 10_000  # a broken device must not fill the server's disk; beyond it, only counts go on
STATES_KEPT = 100  # of each device and kind: one that comes and goes all day must not fill it either
_STREAMS_CACHED = 10_000


class BatchWriter:
    """What writes through one connection; its caller sees to it that only one thread does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._stream_ids: dict[StreamKey, int] = {}

    def commit(self, batch: Sequence[Received[Message] | BadPayload]) -> list[Outcome]:
        """Write all of the batch or, with the error that SQLite raises, nothing of it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._put(item) for item in batch]
            self._count(outcomes)
            self._connection.execute("COMMIT")
        except BaseException:
            self._stream_ids.clear()  # it may name rows that are now undone
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return outcomes

    def _put(self, item: Received[Message] | BadPayload) -> Outcome:
        if isinstance(item, BadPayload):
            self._quarantine(item, "bad_payload")
            return "bad_payload"
        if isinstance(item.message, (Status, Reported)):
            self._put_state(item, "status" if isinstance(item.message, Status) else "reported")
            return "state"
        return self._put_counted(cast("Received[Counted]", item))

    def _put_counted(self, received: Received[Counted]) -> Outcome:
        stream, digest = self._stream_id(received.stream), digest_of(received.payload)
        if self._insert(stream, digest, received):
            return "new"
        seq = received.message.seq
        known = self._connection.execute(
            "SELECT digest FROM message WHERE stream = ? AND seq = ?", (stream, seq)
        ).fetchone()[0]
        if known == digest:
            return "duplicate"
        self._quarantine(_as_conflict(received), "conflict")
        return "conflict"

    def _insert(self, stream: int, digest: bytes, received: Received[Counted]) -> bool:
        message = received.message
        kind = type(message).__name__.lower()
        alert = message if isinstance(message, Alert) else None
        inserted = self._connection.execute(
            "INSERT INTO message"
            " (stream, seq, kind, received_at, digest, payload, event_id, label, started_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, seq) DO NOTHING",
            (stream, message.seq, kind, format_utc(received.received_at), digest, received.payload)
            + ((alert.event_id, alert.label, alert.started_at) if alert else (None, None, None)),
        )
        return inserted.rowcount == 1

    def _put_state(self, received: Received[Message], kind: str) -> None:
        key = (received.stream.site, received.stream.device, kind)
        newest = self._connection.execute(
            "SELECT payload FROM state WHERE site = ? AND device = ? AND kind = ? ORDER BY id DESC LIMIT 1",
            key,
        ).fetchone()
        if newest is None or newest[0] != received.payload:
            self._connection.execute(
                "INSERT INTO state (site, device, kind, received_at, payload) VALUES (?, ?, ?, ?, ?)",
                (*key, format_utc(received.received_at), received.payload),
            )
            self._connection.execute(
                "DELETE FROM state WHERE site = ? AND device = ? AND kind = ? AND id <= (SELECT id FROM state"
                " WHERE site = ? AND device = ? AND kind = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
                (*key, *key, STATES_KEPT),
            )

    def _quarantine(self, bad: BadPayload, kind: str) -> None:
        digest = digest_of(bad.payload)
        again = self._connection.execute(
            "UPDATE quarantine SET times = times + 1 WHERE topic = ? AND digest = ?", (bad.topic, digest)
        )
        kept = self._connection.execute("SELECT count(*) FROM quarantine").fetchone()[0]
        if again.rowcount or kept >= QUARANTINE_KEPT:
            return
        stream = None if bad.stream is None else self._stream_id(bad.stream)
        self._connection.execute(
            "INSERT INTO quarantine (topic, digest, kind, reason, stream, seq, received_at, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (bad.topic, digest, kind, bad.reason, stream, bad.seq, format_utc(bad.received_at), bad.payload),
        )

    def _stream_id(self, key: StreamKey) -> int:
        if key in self._stream_ids:
            return self._stream_ids[key]
        self._connection.execute(
            "INSERT INTO stream (site, device, epoch) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", key
        )
        found = self._connection.execute(
            "SELECT id FROM stream WHERE site = ? AND device = ? AND epoch = ?", key
        ).fetchone()
        if len(self._stream_ids) >= _STREAMS_CACHED:
            self._stream_ids.clear()
        self._stream_ids[key] = int(found[0])
        return self._stream_ids[key]

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        counted = Counter(outcome for outcome in outcomes if outcome not in ("new", "state"))
        self._connection.executemany(
            "INSERT INTO counter (name, count) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
            counted.items(),
        )


def _as_conflict(received: Received[Counted]) -> BadPayload:
    stream, seq = received.stream, received.message.seq
    return BadPayload(
        received.topic,
        received.payload,
        received.received_at,
        sender=DeviceName(stream.site, stream.device),
        reason=f"seq {seq} of epoch {stream.epoch} was received before, with other content",
        stream=stream,
        seq=seq,
    )
