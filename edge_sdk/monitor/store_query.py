"""Questions to the monitor's database."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from ..contract.messages import Alert, Dropped, Reported, Status, decode_message, format_utc, parse_utc
from ..contract.topics import Topics
from .incoming import Received, StreamKey
from .seq_ledger import SeqGap
from .seq_ranges import SeqRanges

__all__ = [
    "AlertFilter",
    "Counts",
    "StoredEvent",
    "select_alerts",
    "select_counts",
    "select_events",
    "select_missing",
    "select_states",
]


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event, from all of its messages.

    Attributes:
        alert: The newest by ``seq``; its score is the peak so far.
        messages: How many were received.
        first_received_at: When the monitor got the first, UTC.
        last_received_at: When it got the last, UTC.
    """

    alert: Alert
    messages: int
    first_received_at: datetime
    last_received_at: datetime

    @property
    def is_open(self) -> bool:
        """No ``end`` was received yet."""
        return self.alert.type != "end"


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a database holds, and what else it was sent since it was made.

    Attributes:
        alerts: Alert messages, each once.
        events: What they tell of.
        coverage: Coverage messages.
        dropped: Messages about ranges that will never come.
        devices: That sent any of these.
        duplicates: Messages that came again and were dropped.
        conflicts: Messages whose key had come before with other content.
        bad_payloads: Messages that did not hold, those that came again included.
    """

    alerts: int
    events: int
    coverage: int
    dropped: int
    devices: int
    duplicates: int
    conflicts: int
    bad_payloads: int


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts; ``None`` stands for any. Times are those of the sound's start."""

    site: str | None
    device: str | None
    label: str | None
    since: datetime | None
    until: datetime | None

    def parameters(self, limit: int) -> dict[str, str | int | None]:
        """The values for the queries below; a digit sorts after nothing and before a letter."""
        return {
            "site": self.site,
            "device": self.device,
            "label": self.label,
            "since": "" if self.since is None else format_utc(self.since),
            "until": "A" if self.until is None else format_utc(self.until),
            "limit": limit,
        }


_ALERTS = """
SELECT payload, received_at FROM message JOIN stream ON stream.id = message.stream
WHERE started_at >= :since AND started_at < :until
  AND (:site IS NULL OR site = :site)
  AND (:device IS NULL OR device = :device)
  AND (:label IS NULL OR label = :label)
ORDER BY started_at DESC, message.id DESC LIMIT :limit
"""

# All messages of an event tell the same start, so that the newest events are found along its index
# without reading the others.
_EVENTS = """
WITH chosen AS (
    SELECT DISTINCT stream, event_id, started_at
    FROM message JOIN stream ON stream.id = message.stream
    WHERE started_at >= :since AND started_at < :until
      AND (:site IS NULL OR site = :site)
      AND (:device IS NULL OR device = :device)
      AND (:label IS NULL OR label = :label)
    ORDER BY started_at DESC LIMIT :limit
), event AS (
    SELECT message.stream, max(seq) AS newest, count(*) AS messages,
           min(received_at) AS first_at, max(received_at) AS last_at
    FROM chosen JOIN message
      ON message.stream = chosen.stream AND message.event_id = chosen.event_id
    GROUP BY message.stream, message.event_id
)
SELECT payload, messages, first_at, last_at
FROM event JOIN message ON message.stream = event.stream AND message.seq = event.newest
ORDER BY started_at DESC, message.id DESC
"""


def select_alerts(connection: sqlite3.Connection, chosen: AlertFilter, limit: int) -> list[Received[Alert]]:
    """Single alerts, the latest start first, and of one start the latest arrival."""
    rows = connection.execute(_ALERTS, chosen.parameters(limit))
    return [_received_alert(payload, received_at) for payload, received_at in rows]


def select_events(connection: sqlite3.Connection, chosen: AlertFilter, limit: int) -> list[StoredEvent]:
    """Events, the latest start first."""
    rows = connection.execute(_EVENTS, chosen.parameters(limit))
    return [
        StoredEvent(decode_message(payload, Alert), messages, parse_utc(first), parse_utc(last))
        for payload, messages, first, last in rows
    ]


def select_states(connection: sqlite3.Connection) -> list[Received[Status] | Received[Reported]]:
    """The newest status and report of every device."""
    rows = connection.execute(
        "SELECT kind, site, device, received_at, payload FROM state"
        " WHERE id IN (SELECT max(id) FROM state GROUP BY site, device, kind) ORDER BY site, device, kind"
    )
    states: list[Received[Status] | Received[Reported]] = []
    for kind, site, device, received_at, payload in rows:
        topics, moment = Topics(site, device), parse_utc(received_at)
        if kind == "status":
            states.append(Received(decode_message(payload, Status), topics.status, moment, payload))
        else:
            states.append(Received(decode_message(payload, Reported), topics.reported, moment, payload))
    return states


def select_missing(connection: sqlite3.Connection) -> list[SeqGap]:
    """Numbers between received ones that did not come and that nothing explains."""
    holes = connection.execute(
        "SELECT stream.id, site, device, epoch, previous + 1, seq - 1 FROM ("
        "   SELECT stream, seq, lag(seq) OVER (PARTITION BY stream ORDER BY seq) AS previous FROM message"
        ") AS message JOIN stream ON stream.id = message.stream WHERE seq > previous + 1 ORDER BY 2, 3, 4, 5"
    ).fetchall()
    explained: dict[int, SeqRanges] = {}
    gaps: list[SeqGap] = []
    for stream, site, device, epoch, first, last in holes:
        if stream not in explained:
            explained[stream] = _explained(connection, stream)
        key = StreamKey(site, device, epoch)
        gaps.extend(SeqGap(*key, *still_missing) for still_missing in explained[stream].missing(first, last))
    return gaps


def select_counts(connection: sqlite3.Connection) -> Counts:
    """One row of numbers."""
    kinds: dict[str, int] = dict(
        connection.execute("SELECT kind, count(*) FROM message GROUP BY kind").fetchall()
    )
    told: dict[str, int] = dict(connection.execute("SELECT name, count FROM counter").fetchall())
    events, devices = connection.execute(
        "SELECT (SELECT count(*) FROM (SELECT DISTINCT stream, event_id FROM message WHERE kind = 'alert')),"
        " (SELECT count(*) FROM (SELECT DISTINCT site, device FROM stream"
        "   WHERE EXISTS (SELECT 1 FROM message WHERE message.stream = stream.id)))"
    ).fetchone()
    return Counts(
        alerts=kinds.get("alert", 0),
        events=events,
        coverage=kinds.get("coverage", 0),
        dropped=kinds.get("dropped", 0),
        devices=devices,
        duplicates=told.get("duplicate", 0),
        conflicts=told.get("conflict", 0),
        bad_payloads=told.get("bad_payload", 0),
    )


def _explained(connection: sqlite3.Connection, stream: int) -> SeqRanges:
    """Numbers that the device gave up, or that came with content nobody can read."""
    explained = SeqRanges()
    for (payload,) in connection.execute(
        "SELECT payload FROM message WHERE stream = ? AND kind = 'dropped'", (stream,)
    ):
        for first, last in decode_message(payload, Dropped).ranges:
            explained.add(first, last)
    for (seq,) in connection.execute("SELECT seq FROM quarantine WHERE stream = ?", (stream,)):
        explained.add(seq)
    return explained


def _received_alert(payload: bytes, received_at: str) -> Received[Alert]:
    alert = decode_message(payload, Alert)
    topic = Topics(alert.site, alert.device).alert(alert.label)
    return Received(alert, topic, parse_utc(received_at), payload)
