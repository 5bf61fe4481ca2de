"""What was evicted and not yet told, as ranges of seq with exact counts by kind."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

import msgspec

from edge_sdk.contract.messages import SeqRange

__all__ = ["decode_counts", "record", "take"]

_COUNTS = msgspec.json.Decoder(dict[str, int])


def decode_counts(encoded: bytes) -> dict[str, int]:
    """The counts of a range, by kind."""
    return _COUNTS.decode(encoded)


def record(connection: sqlite3.Connection, seqs: Sequence[int], kind: str) -> None:
    """Note that messages of one kind were evicted; ranges that touch become one, with summed counts."""
    for first, last in _coalesce(seqs):
        _add(connection, first, last, Counter({kind: last - first + 1}))


def take(connection: sqlite3.Connection, limit: int) -> tuple[list[SeqRange], dict[str, int]]:
    """Remove and return up to ``limit`` ranges, lowest first, with the counts of just these."""
    rows = connection.execute("SELECT first, last, counts FROM evicted ORDER BY first LIMIT ?", (limit,))
    ranges: list[SeqRange] = []
    counts: Counter[str] = Counter()
    for first, last, encoded in rows.fetchall():
        ranges.append((first, last))
        counts.update(decode_counts(encoded))
        connection.execute("DELETE FROM evicted WHERE first = ?", (first,))
    return ranges, dict(counts)


def _add(connection: sqlite3.Connection, first: int, last: int, counts: Counter[str]) -> None:
    neighbours = connection.execute(
        "SELECT first, last, counts FROM evicted WHERE first = ? "
        "UNION ALL SELECT * FROM (SELECT first, last, counts FROM evicted WHERE first < ? "
        "ORDER BY first DESC LIMIT 1) WHERE last = ?",
        (last + 1, first, first - 1),
    ).fetchall()
    for other_first, other_last, encoded in neighbours:
        first, last = min(first, other_first), max(last, other_last)
        counts.update(decode_counts(encoded))
        connection.execute("DELETE FROM evicted WHERE first = ?", (other_first,))
    connection.execute(
        "INSERT INTO evicted VALUES (?, ?, ?)", (first, last, msgspec.json.encode(dict(counts)))
    )


def _coalesce(seqs: Sequence[int]) -> list[SeqRange]:
    ranges: list[SeqRange] = []
    for seq in sorted(seqs):
        if ranges and seq == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], seq)
        else:
            ranges.append((seq, seq))
    return ranges
