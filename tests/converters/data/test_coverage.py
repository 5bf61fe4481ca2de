"""What calibration samples must show, and what they may lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.data.coverage import check_coverage
from converters.data.nouns import PICTURES
from converters.data.picture_set import Picture, PictureSet
from edge_sdk.errors import DatasetError

MANY = tuple(f"label_{number}" for number in range(1000))


def pictures(name: str, counts: dict[str, int]) -> PictureSet:
    """So many pictures of each label; "" is background."""
    samples = tuple(
        Picture(f"{label}/{number}.png", Path("x"), frozenset({label} - {""}), f"{number:064x}", 8, 8)
        for label, n in counts.items()
        for number in range(n)
    )
    return PictureSet(Path(name), MANY, samples)


def refusal(calibration: dict[str, int], evaluation: dict[str, int]) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        check_coverage(pictures("calibration", calibration), pictures("evaluation", evaluation), PICTURES)
    return caught.value


def test_of_a_few_labels_each_must_be_there_and_background_too() -> None:
    judged = {"label_0": 5, "label_1": 5, "label_2": 5, "": 5}
    assert check_coverage(pictures("c", judged), pictures("e", judged), PICTURES) == []
    error = refusal({"label_0": 500}, judged)
    assert "has no picture of: label_1, label_2, background" in error.message
    assert "(500 pictures)" in error.message


def test_labels_that_are_not_judged_may_be_missing() -> None:
    assert check_coverage(pictures("c", {"label_0": 1}), pictures("e", {"label_0": 5}), PICTURES) == []


def test_of_a_thousand_labels_a_hundred_pictures_of_several_will_do_with_a_warning() -> None:
    judged = dict.fromkeys(MANY, 1)
    (warning,) = check_coverage(
        pictures("c", {"label_3": 50, "label_5": 50}), pictures("e", judged), PICTURES
    )
    assert warning.startswith("calibrated on 100 pictures of 2 labels, and none of 998 of the 1000 judged: ")
    assert warning.endswith("label_11 and 988 more")


@pytest.mark.parametrize(
    "calibration", [{"label_3": 50, "label_5": 49}, {"label_3": 400}], ids=["few", "one-sided"]
)
def test_few_or_one_sided_pictures_are_refused_for_many_labels_too(calibration: dict[str, int]) -> None:
    error = refusal(calibration, dict.fromkeys(MANY, 1))
    assert len(error.message) < 400
    assert error.hint == "give one of each, or at least 100 pictures of several labels"
