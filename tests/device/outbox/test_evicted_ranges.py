"""The ledger of evicted numbers: ranges that touch become one, and counts stay exact."""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from device.outbox import evicted
from device.outbox.schema import create

_KINDS = ("update", "alert", "coverage_merged")


def _database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create(connection, "forest", "box-7")
    return connection


@given(st.dictionaries(st.integers(1, 60), st.sampled_from(_KINDS)), st.integers(1, 5), st.data())
def test_ranges_are_those_of_a_set_and_counts_those_of_its_kinds(
    evictions: dict[int, str], limit: int, data: st.DataObject
) -> None:
    told: list[tuple[int, int]] = []
    order = data.draw(st.permutations(list(evictions)))
    with closing(_database()) as connection:
        for seq in order:
            evicted.record(connection, [seq], evictions[seq])
        while True:
            ranges, counts = evicted.take(connection, limit)
            if not ranges:
                break
            assert len(ranges) <= limit
            numbers = [seq for first, last in ranges for seq in range(first, last + 1)]
            assert counts == Counter(evictions[seq] for seq in numbers)
            told += ranges
    assert {seq for first, last in told for seq in range(first, last + 1)} == set(evictions)
    assert all(next_first > last + 1 for (_, last), (next_first, _) in itertools.pairwise(told))


@given(st.sets(st.integers(1, 60)))
def test_many_at_once_are_as_one_by_one(seqs: set[int]) -> None:
    with closing(_database()) as together, closing(_database()) as singly:
        evicted.record(together, sorted(seqs), "alert")
        for seq in seqs:
            evicted.record(singly, [seq], "alert")
        assert evicted.take(together, 100) == evicted.take(singly, 100)
