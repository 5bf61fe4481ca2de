"""Scores that are nearly alike, or nothing but 0 and 1, tell of wrong scaling though each answer is right."""

from __future__ import annotations

import numpy as np
import pytest

from converters.proof.scaling_signs import collapse, collapse_p, contrast, saturation
from converters.proof.weighing import Weighed
from converters.spec.image_table import PRESETS
from edge_sdk.contract.image import ImageInput

N = 36
PIXELS = 255.0


def weighed(*, reached: int = 0, saturated: int = 0, figure: float = 1.0, n: int = N) -> Weighed:
    """Every answer is right; so many reach their threshold, and so many are nothing but 0 and 1."""
    places = np.arange(n)
    return Weighed(
        right=np.ones(n, dtype=np.bool_),
        scores=np.full(n, 0.4, dtype=np.float32),
        figure=figure,
        reached=places < reached,
        saturated=places < saturated,
    )


def test_contrast_is_what_a_preset_leaves_between_black_and_white() -> None:
    seen = {
        name: contrast(ImageInput(width=8, height=8, color=known.color, mean=known.mean, std=known.std))
        for name, known in PRESETS.items()
    }
    assert seen == pytest.approx({"caffe": 255, "none": 255, "unit": 1, "tf": 2, "torch": 4.42}, abs=0.05)


def test_scores_that_reach_nothing_with_small_pixels_have_collapsed() -> None:
    spec, other = weighed(reached=0), weighed(reached=34)
    assert collapse(spec, other, PIXELS) == "34 instead of 0 of 36 reach their threshold"
    assert collapse_p(spec, other, tried=8) < 1e-6


@pytest.mark.parametrize(
    ("spec", "other", "times"),
    [
        (weighed(reached=0), weighed(reached=34, figure=0.9), PIXELS),  # answers are worse
        (weighed(reached=0), weighed(reached=34), 2.0),  # pixels are hardly larger
        (weighed(reached=12), weighed(reached=34), PIXELS),  # a model that is often unsure
        (weighed(reached=0), weighed(reached=5), PIXELS),  # a threshold that is too high
    ],
)
def test_what_is_no_collapse(spec: Weighed, other: Weighed, times: float) -> None:
    assert collapse(spec, other, times) is None


def test_few_pictures_do_not_tell_a_collapse_from_chance() -> None:
    assert collapse_p(weighed(n=6), weighed(n=6, reached=6), tried=8) > 0.1


def test_scores_of_nothing_but_0_and_1_with_large_pixels_are_saturated() -> None:
    said = saturation(weighed(saturated=35), weighed(saturated=1), 1 / PIXELS)
    assert said == "the scores of 1 instead of 35 of 36 pictures are nothing but 0 and 1"


@pytest.mark.parametrize(
    ("spec", "other", "times"),
    [
        (weighed(saturated=35), weighed(saturated=1, figure=0.9), 1 / PIXELS),  # answers are worse
        (weighed(saturated=35), weighed(saturated=1), 0.5),  # pixels are hardly smaller
        (weighed(saturated=20), weighed(saturated=1), 1 / PIXELS),  # sure of much, not of all
        (weighed(saturated=35), weighed(saturated=30), 1 / PIXELS),  # so sure is the model itself
        (weighed(saturated=4, n=4), weighed(n=4), 1 / PIXELS),  # chance
    ],
)
def test_what_is_no_saturation(spec: Weighed, other: Weighed, times: float) -> None:
    assert saturation(spec, other, times) is None
