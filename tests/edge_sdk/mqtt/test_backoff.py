"""Pauses double, stay under their limit, and differ from box to box."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.mqtt.backoff import Backoff


@given(st.integers(1, 10_000), st.floats(0.01, 5), st.floats(5, 600))
def test_each_pause_is_half_to_all_of_the_doubled_one(failures: int, first_s: float, limit_s: float) -> None:
    full = min(limit_s, first_s * 2 ** min(failures - 1, 30))
    assert full / 2 <= Backoff(first_s, limit_s).delay_s(failures) <= full


def test_pauses_are_not_in_step() -> None:
    backoff = Backoff()
    assert len({backoff.delay_s(5) for _ in range(20)}) > 1
