from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.monitor.seq_ranges import SeqRanges

NUMBERS = st.integers(1, 60)
RANGES = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=30)


def build(ranges: list[tuple[int, int]]) -> tuple[SeqRanges, set[int]]:
    built, model = SeqRanges(), set[int]()
    for first, last in ranges:
        built.add(first, last)
        model.update(range(first, last + 1))
    return built, model


@given(RANGES)
def test_it_holds_exactly_the_numbers_of_the_ranges_that_were_added(ranges: list[tuple[int, int]]) -> None:
    built, model = build(ranges)

    assert {number for number in range(70) if number in built} == model
    assert built.total == len(model)


@given(RANGES)
def test_its_ranges_are_sorted_and_never_touch(ranges: list[tuple[int, int]]) -> None:
    built, _ = build(ranges)

    assert all(first <= last for first, last in built)
    assert all(last + 1 < following for (_, last), (following, _) in itertools.pairwise(built))


@given(RANGES, NUMBERS, NUMBERS)
def test_missing_are_the_numbers_between_that_are_not_in_it(
    ranges: list[tuple[int, int]], first: int, last: int
) -> None:
    built, model = build(ranges)

    missing = {n for low, high in built.missing(first, last) for n in range(low, high + 1)}
    assert missing == set(range(first, last + 1)) - model


@given(RANGES, st.integers(0, 5))
def test_forgetting_keeps_the_highest_ranges_and_names_the_highest_number_forgotten(
    ranges: list[tuple[int, int]], keep: int
) -> None:
    built, model = build(ranges)
    before = list(built)

    forgotten = built.forget_lowest(keep)

    assert list(built) == before[max(0, len(before) - keep) :]
    assert forgotten == (before[-keep - 1][1] if len(before) > keep else None)
    assert all(number <= (forgotten or 0) for number in model if number not in built)


def test_numbers_that_arrive_in_order_stay_one_range() -> None:
    ranges = SeqRanges()
    for number in range(1, 100_001):
        ranges.add(number)

    assert list(ranges) == [(1, 100_000)]
