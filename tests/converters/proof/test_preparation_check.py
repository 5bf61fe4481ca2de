"""When another preparation of pictures is better, and when that is noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from boxed_pictures import write_noise

from converters.data.picture_set import Picture, PictureSet
from converters.proof.acceptance import Acceptance
from converters.proof.case import Case
from converters.proof.preparation_check import Preparations, alternatives, check_preparation
from converters.proof.weighing import DrawnPrecision, Weighed, compare, discordant_p
from edge_sdk.console.progress import SilentProgress
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Pixels, TensorSpec
from edge_sdk.errors import BackendError, SpecError

RGB = ImageInput(width=8, height=8, std=(255.0,))


def weighed(right: int, n: int = 40, score: float = 0.5) -> Weighed:
    return Weighed(np.arange(n) < right, np.full(n, score, dtype=np.float32), right / n)


def test_the_sign_test_is_exact() -> None:
    assert discordant_p(10, 0) == pytest.approx(1 / 1024)
    assert discordant_p(0, 0) == 1.0
    assert discordant_p(3, 1) == pytest.approx(5 / 16)


def test_the_sign_test_takes_one_coefficient_however_many_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []

    def count(n: int, k: int, comb: Callable[[int, int], int] = math.comb) -> int:
        computed.append(k)
        return comb(n, k)

    expected = sum(math.comb(300, k) for k in range(160, 301)) / 2**300
    monkeypatch.setattr(math, "comb", count)
    assert discordant_p(160, 140) == expected
    assert computed == [160]


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
    with pytest.raises(BackendError, match="no finite number"):
        check_preparation(RGB, case_of(path, {}), kind, SilentProgress())


def case_of(path: Path, accepted: dict[str, str]) -> Case[PictureSet]:
    """One picture, and a model that takes floats."""
    picture = Picture("a.png", path, frozenset({"cat"}), "0" * 64, 20, 30)
    spec: Any = None  # is not looked at
    source: Any = SimpleNamespace(input=TensorSpec("x", (1, 8, 8, 3), "float32"))
    pictures = PictureSet(path.parent, ("cat",), (picture,))
    return Case(spec, source, None, pictures, 0.01, Acceptance(accepted))


def better_as(*names: str, right: int = 40) -> Preparations:
    """A model that is right of 40 things as the spec says in 10, and prepared in other ways in more."""
    images = [alternatives(RGB, scales=True)[name] for name in names]
    return Preparations(
        ask=lambda image: lambda _pixels: right if image in images else 10,
        weigh=lambda _chosen, answers: weighed(answers[0]),
        figure="accuracy",
    )


def test_what_is_better_is_refused_and_tells_how_to_keep_it(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.png")
    kind = better_as("color = 'bgr'", "resize = 'crop'")
    with pytest.raises(SpecError, match="contradicts the model: with color = 'bgr', accuracy is") as caught:
        check_preparation(RGB, case_of(path, {}), kind, SilentProgress())
    assert caught.value.hint is not None
    assert caught.value.hint.endswith('under [image.accept]: color = "...", resize = "..."')
    with pytest.raises(SpecError, match="with resize = 'crop'") as caught:
        check_preparation(RGB, case_of(path, {"color": "so it was trained"}), kind, SilentProgress())
    assert "color" not in caught.value.message


def test_what_is_accepted_is_kept_with_its_reason(tmp_path: Path) -> None:
    case = case_of(write_noise(tmp_path / "a.png"), {"color": "so it was trained", "resize": "a habit"})
    assert check_preparation(RGB, case, better_as("color = 'bgr'"), SilentProgress()) == []
    (accepted,) = case.acceptance.found
    assert (accepted.key, accepted.reason) == ("color", "so it was trained")
    assert accepted.finding.startswith("with color = 'bgr', accuracy is 1.000")
    told, idle = case.acceptance.warnings()
    assert told.startswith("accepted (color: so it was trained): with color = 'bgr'")
    assert idle == "[image.accept] resize is not needed: nothing contradicts it"


def test_what_is_only_likely_is_a_warning(tmp_path: Path) -> None:
    case = case_of(write_noise(tmp_path / "a.png"), {})
    (warning,) = check_preparation(RGB, case, better_as("resize = 'crop'", right=19), SilentProgress())
    assert warning.startswith("[image] in the spec may be wrong: with resize = 'crop', accuracy is 0.475")
    assert case.acceptance.found == []


def test_one_mistake_is_told_as_one_key_the_better(tmp_path: Path) -> None:
    """The preset ``caffe`` exchanges colours, too."""
    path = write_noise(tmp_path / "a.png")
    kind = better_as("color = 'bgr'", "preprocessing = 'caffe'")
    with pytest.raises(SpecError) as caught:
        check_preparation(RGB, case_of(path, {}), kind, SilentProgress())
    assert "color = 'bgr'" in caught.value.message
    assert "caffe" not in caught.value.message
    assert caught.value.hint is not None
    assert caught.value.hint.endswith('under [image.accept]: color = "..."')
    both = better_as("color = 'bgr'", "preprocessing = 'tf'")
    with pytest.raises(SpecError, match=r"color = 'bgr'.*preprocessing = 'tf'"):
        check_preparation(RGB, case_of(path, {}), both, SilentProgress())


def test_exchanged_colors_that_are_accepted_are_not_told_again_as_a_preset(tmp_path: Path) -> None:
    case = case_of(write_noise(tmp_path / "a.png"), {"color": "so it was trained"})
    kind = better_as("color = 'bgr'", "preprocessing = 'caffe'")
    assert check_preparation(RGB, case, kind, SilentProgress()) == []
    assert [accepted.key for accepted in case.acceptance.found] == ["color"]


def precise(gain: float, deviation: float) -> Preparations:
    """A detector whose boxes lie better in stretched pictures, as far as drawn sets tell."""
    noise = np.random.default_rng(0).normal(0, deviation, 1000)

    def weigh(_chosen: Any, answers: Any) -> Weighed:
        own = answers[0]
        drawn = {"mAP50": np.full(1000, 0.4), "mAP50-95": 0.3 + (gain + noise if own else 0 * noise)}
        figures = {"mAP50": 0.4, "mAP50-95": 0.3 + own * gain}
        return replace(weighed(10), figure=0.4, precision=DrawnPrecision(figures, lambda: drawn))

    return Preparations(
        ask=lambda image: lambda _pixels: image.resize == "stretch" and image.color == "rgb",
        weigh=weigh,
        figure="mAP50",
    )


def test_boxes_that_lie_better_convict_another_way_to_resize(tmp_path: Path) -> None:
    path = write_noise(tmp_path / "a.png")
    sure, likely, chance = (precise(0.15, deviation) for deviation in (0.03, 0.055, 0.15))
    crop = ImageInput(width=8, height=8, std=(255.0,), resize="crop")
    with pytest.raises(
        SpecError, match=r"with resize = 'stretch', mAP50-95 is 0\.450 instead of 0\.300 \(p "
    ):
        check_preparation(crop, case_of(path, {}), sure, SilentProgress())
    (warning,) = check_preparation(crop, case_of(path, {}), likely, SilentProgress())
    assert "mAP50-95 is 0.450 instead of 0.300" in warning
    assert check_preparation(crop, case_of(path, {}), chance, SilentProgress()) == []
