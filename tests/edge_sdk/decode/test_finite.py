"""A quick look misses no value that is no number, and blames none that is only large."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_sdk.contract.values import Float32Array
from edge_sdk.decode.finite import all_finite


@given(hnp.arrays(np.float32, st.integers(0, 50), elements=st.floats(width=32)))
def test_answer_is_that_of_looking_at_each_value(values: Float32Array) -> None:
    assert all_finite(values) == bool(np.isfinite(values).all())


def test_numbers_whose_squares_overflow_are_numbers() -> None:
    assert all_finite(np.full(4_000, 3e38, dtype=np.float32))
