"""What timing says of a run is what its times are."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.bench.timing import Timing, time_repeatedly


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=300))
def test_p99_is_a_time_that_was_measured_and_at_most_one_in_a_hundred_is_longer(times: list[float]) -> None:
    timing = Timing(sorted(times), sum(times) / 1e3)
    assert timing.p99_ms in times
    assert sum(time > timing.p99_ms for time in times) <= len(times) / 100
    assert timing.median_ms <= timing.p99_ms
    assert timing.per_s == pytest.approx(1e3 * len(times) / sum(times))


def test_a_slow_model_is_still_run_ten_times() -> None:
    runs = []
    timing = time_repeatedly(lambda: runs.append(1), 0.0)
    assert len(runs) == len(timing.times_ms) == 10


def test_parts_of_a_run_follow_each_other_and_leave_no_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0]
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now[0])

    def run() -> None:
        now[0] += 1_000_000 * (1 + now[0] // 100_000_000)  # slower by a millisecond after each tenth of one

    timing = time_repeatedly(run, 0.3)
    assert timing.part_medians_ms == sorted(timing.part_medians_ms)
    assert len(timing.part_medians_ms) == 5
    assert (timing.part_medians_ms[0], timing.part_medians_ms[-1]) == (1.0, 3.0)


def test_it_tells_how_far_it_is_and_never_more_than_all() -> None:
    told: list[float] = []
    time_repeatedly(lambda: None, 0.6, told.append)
    assert told == sorted(told)
    assert told
    assert all(0 <= share <= 1 for share in told)
