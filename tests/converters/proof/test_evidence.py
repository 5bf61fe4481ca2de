"""A report says what looks wrong, though every variant agrees with it."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from converters.data.labelled_set import LabelledSet
from converters.data.nouns import PICTURES, RECORDINGS
from converters.data.picture_set import Picture, PictureSet
from converters.proof.evidence import (
    differing_pixels,
    never_found,
    never_recognised,
    repeated_samples,
    thin_evidence,
    uncounted_background,
    unlisted_pictures,
)
from converters.report.report_file import BoxLabelReport, LabelReport, label_report, share_report
from edge_sdk.contract.image import ImageInput, Interpolation
from edge_sdk.metrics.classification import Share, label_metrics


def reports(found: int, of: int) -> list[LabelReport]:
    """Figures of one label that is decided right in ``found`` of so many samples."""
    truth = np.array([[True]] * of + [[False]] * 5)
    decided = np.array([[index < found] for index in range(of)] + [[False]] * 5)
    (metrics,) = label_metrics(("chainsaw",), truth, decided, decided.astype(np.float32))
    return [label_report(metrics, 0.5)]


def test_a_label_that_the_trained_model_never_recognises_is_told() -> None:
    (warning,) = never_recognised(reports(0, 12), RECORDINGS)
    assert "recognises no recording of chainsaw (0 of 12)" in warning
    assert "in the model's order" in warning


def test_a_label_that_is_sometimes_right_or_hardly_there_is_not() -> None:
    assert never_recognised(reports(1, 12), RECORDINGS) == []
    assert never_recognised(reports(0, 2), RECORDINGS) == []


def test_a_detectors_label_without_any_box_at_threshold_is_told() -> None:
    label = BoxLabelReport(
        label="cat",
        threshold=0.9,
        recall=share_report(Share(0, 4)),
        precision=share_report(Share(0, 0)),
        missed=4,
        false=0,
        ap50=0.8,
        ap50_95=0.5,
    )
    assert "no thing at threshold of cat (0 of 4)" in never_found([label])[0]


def picture(name: str, content: int, *labels: str) -> Picture:
    return Picture(name, Path(name), frozenset(labels), f"{content:064x}", 8, 8)


def test_a_sample_that_is_there_twice_is_told() -> None:
    samples = (picture("a.png", 1, "saw"), picture("b.png", 2, "saw"), picture("again.png", 1, "saw"))
    once: LabelledSet[Picture] = LabelledSet(Path("set"), ("saw",), samples[:2])
    assert repeated_samples(once, PICTURES) == []
    (warning,) = repeated_samples(LabelledSet(Path("set"), ("saw",), samples), PICTURES)
    assert warning.startswith("1 picture of the evaluation set is there already, so it counts again")
    assert "a.png" in warning


def test_of_a_thousand_labels_a_few_are_named() -> None:
    labels = tuple(f"label_{number}" for number in range(1000))
    samples = tuple(picture(f"{label}.png", index, label) for index, label in enumerate(labels))
    (warning,) = thin_evidence(LabelledSet(Path("set"), labels, samples), labels, PICTURES)
    assert warning.startswith("few pictures, so wide intervals: label_0 (1), label_1 (1)")
    assert warning.endswith(" and 990 more")


def test_background_that_cannot_be_right_is_told() -> None:
    samples = (picture("a.png", 1, "saw"), picture("b.png", 2))
    assert uncounted_background(LabelledSet(Path("set"), ("saw",), samples[:1]), PICTURES) == []
    (warning,) = uncounted_background(LabelledSet(Path("set"), ("saw",), samples), PICTURES)
    assert "1 of 2 pictures is background" in warning


@pytest.mark.parametrize("interpolation", get_args(Interpolation))
def test_pixels_that_another_processor_may_compute_otherwise_are_told(interpolation: Interpolation) -> None:
    warnings = differing_pixels(ImageInput(width=8, height=8, interpolation=interpolation))
    assert len(warnings) == (interpolation in ("bicubic", "area"))
    assert all(interpolation in warning for warning in warnings)


def test_pictures_without_annotation_are_told() -> None:
    whole = PictureSet(Path("set"), ("saw",), (picture("a.png", 1, "saw"),))
    assert unlisted_pictures(whole) == []
    some = PictureSet(Path("set"), ("saw",), whole.samples, tuple(f"{number}.png" for number in range(5)))
    (warning,) = unlisted_pictures(some)
    assert "5 pictures" in warning
    assert "0.png, 1.png, 2.png and 2 more" in warning
