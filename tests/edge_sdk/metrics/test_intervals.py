from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edge_sdk.metrics.events import EventCount
from edge_sdk.metrics.intervals import auc_interval, rate_upper_bound, share_interval


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_at_its_bounds_is_as_unlikely_as_it_should_be(counted: tuple[int, int]) -> None:
    hits, n = counted
    interval = share_interval(hits, n)
    assert interval.low <= hits / n <= interval.high
    if hits > 0:
        assert stats.binom.sf(hits - 1, n, interval.low) == pytest.approx(0.025, rel=1e-6)
    if hits < n:
        assert stats.binom.cdf(hits, n, interval.high) == pytest.approx(0.025, rel=1e-6)


def test_eight_of_eight_is_no_proof() -> None:
    assert share_interval(8, 8).low == pytest.approx(0.631, abs=5e-4)
    assert share_interval(8, 8).high == 1.0


def test_nothing_counted_says_nothing() -> None:
    assert share_interval(0, 0) == share_interval(0, 0)
    assert (share_interval(0, 0).low, share_interval(0, 0).high) == (0.0, 1.0)


def test_no_event_in_30_hours_is_at_most_two_point_four_a_day() -> None:
    count = EventCount("gunshot", events=0, hours=30.0)
    assert count.per_hour == 0.0
    assert count.per_day_at_most == pytest.approx(2.4, abs=0.005)


@given(st.integers(0, 100), st.floats(0.01, 1000))
def test_a_rate_at_its_bound_would_give_so_few_events_one_time_in_twenty(events: int, hours: float) -> None:
    bound = rate_upper_bound(events, hours)
    assert stats.poisson.cdf(events, bound * hours) == pytest.approx(0.05, rel=1e-6)


def test_no_time_gives_no_bound() -> None:
    assert rate_upper_bound(0, 0.0) == math.inf
    assert EventCount("gunshot", events=0, hours=0.0).per_hour is None


@given(st.floats(0, 1), st.integers(1, 500), st.integers(1, 500))
def test_an_auc_lies_within_its_interval(auc: float, positives: int, negatives: int) -> None:
    interval = auc_interval(auc, positives, negatives)
    assert 0.0 <= interval.low <= auc + 1e-9
    assert auc - 1e-9 <= interval.high <= 1.0


def test_perfect_separation_of_few_clips_is_not_certainty() -> None:
    assert auc_interval(1.0, 8, 72).low < 0.9
    assert auc_interval(1.0, 800, 7200).low > 0.99
    assert auc_interval(1.0, 8, 72).high == pytest.approx(1.0)


def test_the_auc_interval_bounds_are_where_the_score_test_has_its_quantile() -> None:
    auc, positives, negatives = 0.8, 20, 30
    mean = (positives + negatives) / 2
    for bound in (auc_interval(auc, positives, negatives).low, auc_interval(auc, positives, negatives).high):
        spread = 1 + (mean - 1) * ((1 - bound) / (2 - bound) + bound / (1 + bound))
        deviation = math.sqrt(bound * (1 - bound) * spread / (positives * negatives))
        assert abs(auc - bound) / deviation == pytest.approx(1.96, abs=1e-3)
