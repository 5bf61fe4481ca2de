"""When another preparation of pictures is better, and when that is noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from boxed_pictures import write_noise

from converters.data.picture_set import Picture
from converters.proof.preparation_check import (
    Preparations,
    Weighed,
    alternatives,
    check_preparation,
    compare,
    discordant_p,
)
from edge_sdk.console.progress import SilentProgress
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Pixels
from edge_sdk.errors import BackendError

RGB = ImageInput(width=8, height=8, std=(255.0,))


def weighed(right: int, n: int = 40, score: float = 0.5) -> Weighed:
    return Weighed(np.arange(n) < right, np.full(n, score, dtype=np.float32), right / n)


def test_the_sign_test_is_exact() -> None:
    assert discordant_p(10, 0) == pytest.approx(1 / 1024)
    assert discordant_p(0, 0) == 1.0
    assert discordant_p(3, 1) == pytest.approx(5 / 16)


def test_a_clear_gain_is_sure_and_a_small_one_is_noise() -> None:
    assert compare(weighed(10), weighed(39), tried=8).is_sure(resize=True)
    slight = compare(weighed(30), weighed(33), tried=8)
    assert not slight.is_sure(resize=False)
    assert not slight.is_likely


def test_equal_answers_are_no_evidence() -> None:
    same = compare(weighed(20), weighed(20), tried=8)
    assert (same.gain, same.p_right, same.p_scores) == (0.0, 1.0, 1.0)


def test_higher_scores_convict_swapped_colors_but_not_a_tighter_cut() -> None:
    found = compare(weighed(30, score=0.5), weighed(34, score=0.7), tried=8)
    assert found.p_right > 0.01
    assert found.is_sure(resize=False)
    assert not found.is_sure(resize=True)
    assert found.is_likely


def test_the_more_is_tried_the_more_evidence_it_takes() -> None:
    assert compare(weighed(10), weighed(19), tried=1).is_sure(resize=True)
    assert not compare(weighed(10), weighed(19), tried=8).is_sure(resize=True)


def test_what_is_tried_is_everything_usual_but_what_the_spec_says() -> None:
    names = set(alternatives(RGB, scales=True))
    assert {"color = 'bgr'", "resize = 'letterbox'", "resize = 'crop'"} <= names
    assert {"preprocessing = 'tf'", "preprocessing = 'torch'", "preprocessing = 'none'"} <= names
    assert "preprocessing = 'unit'" not in names
    assert "resize = 'stretch'" not in names


def test_a_model_that_takes_bytes_is_fed_no_other_scaling() -> None:
    image = ImageInput(width=8, height=8, color="bgr")
    assert set(alternatives(image, scales=False)) == {
        "color = 'rgb'",
        "resize = 'letterbox'",
        "resize = 'crop'",
    }


def test_grey_pictures_have_no_colors_to_swap() -> None:
    names = alternatives(ImageInput(width=8, height=8, color="gray", std=(255.0,)), scales=True)
    assert not any(name.startswith("color") for name in names)
    assert {image.color for image in names.values()} == {"gray"}


def test_a_model_that_breaks_as_the_spec_says_is_not_passed_over(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.png")

    def broken(_pixels: Pixels) -> float:
        raise BackendError("no finite number")

    kind = Preparations(
        ask=lambda image: broken if image == RGB else lambda _pixels: 0.5,
        weigh=lambda chosen, _answers: weighed(1, len(chosen)),
        figure="accuracy",
    )
    picture = Picture("a.png", path, frozenset({"cat"}), "0" * 64, 20, 30)
    with pytest.raises(BackendError, match="no finite number"):
        check_preparation(RGB, [picture], kind, SilentProgress(), scales=True)
