"""Calibration tensors are made once where they fit, and errors are measured on an even choice of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from converters.variants.kept_samples import Remembered, ThinnedSamples, half_of
from edge_sdk.contract.values import Float32Array

TENSORS = [np.full((1, 4), index, np.float32) for index in range(10)]


class Made:
    """Tensors in one buffer, as a front end gives them, and how often they were made."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Iterator[Float32Array]:
        self.times += 1
        buffer = np.empty((1, 4), np.float32)
        for tensor in TENSORS:
            buffer[:] = tensor
            yield buffer


@pytest.mark.parametrize(("most_bytes", "times"), [(160, 1), (159, 2)])
def test_tensors_that_fit_are_made_once_and_others_each_time(most_bytes: int, times: int) -> None:
    made = Made()
    calibration = Remembered(made, most_bytes)
    for _ in range(2):
        assert [tensor.copy().tolist() for tensor in calibration()] == [tensor.tolist() for tensor in TENSORS]
    assert made.times == times


def test_what_was_broken_off_is_not_taken_for_all() -> None:
    calibration = Remembered(Made())
    next(calibration())
    assert len(list(calibration())) == len(TENSORS)


def test_a_choice_is_even() -> None:
    chosen = ThinnedSamples(4)
    for tensor in TENSORS:
        chosen.add(tensor)
    assert [int(tensor[0, 0]) for tensor in chosen.kept] == [0, 4, 8]


@pytest.mark.parametrize("n", [100, 1000, 1025])
def test_what_is_kept_is_halved_as_the_whole_is_and_of_every_stretch_there_are_both_halves(n: int) -> None:
    chosen = ThinnedSamples(64)
    for index in range(n):
        chosen.add(np.array([index]))
    halves = [half_of(int(tensor[0])) for tensor in chosen.kept]
    assert halves == [half_of(place) for place in range(len(halves))]
    assert all(set(halves[start : start + 3]) == {0, 1} for start in range(len(halves) - 2))
