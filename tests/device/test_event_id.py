from __future__ import annotations

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from device.event_id import EventIds

NOVEMBER_2026_NS = 1_795_000_000_123_456_789


def test_id_is_a_uuid_of_version_7_that_begins_with_the_millisecond() -> None:
    made = UUID(EventIds(lambda: NOVEMBER_2026_NS).next())
    assert made.version == 7
    assert made.variant == RFC_4122
    assert made.int >> 80 == NOVEMBER_2026_NS // 1_000_000


@given(st.lists(st.integers(min_value=0, max_value=2**62), min_size=2, max_size=50))
def test_ids_rise_whatever_the_clock_does(nanoseconds: list[int]) -> None:
    clock = iter(nanoseconds)
    ids = EventIds(lambda: next(clock))
    made = [ids.next() for _ in nanoseconds]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert all(UUID(text).version == 7 for text in made)


def test_two_processes_that_start_in_the_same_millisecond_make_different_ids() -> None:
    assert EventIds(lambda: NOVEMBER_2026_NS).next() != EventIds(lambda: NOVEMBER_2026_NS).next()
