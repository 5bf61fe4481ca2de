"""A quick look misses no value that is no number, and blames none that is only large."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_sdk.contract.values import Float32Array
from edge_sdk.decode.finite import all_finite


@given(hnp.arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32)))
def test_answer_is_that_of_looking_at_each_value(values: Float32Array) -> None:
    assert all_finite(values) == bool(np.isfinite(values).all())


@pytest.mark.parametrize("count", [4_000, 100_000])
def test_numbers_whose_squares_overflow_are_numbers(count: int) -> None:
    assert all_finite(np.full(count, 3e38, dtype=np.float32))


@pytest.mark.parametrize("count", [4_000, 100_000])
@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
def test_one_value_among_many_is_found(broken: float, count: int) -> None:
    values = np.linspace(-3e38, 3e38, count, dtype=np.float32)
    values[count // 3] = broken
    assert not all_finite(values)
