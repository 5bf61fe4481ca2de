"""Warnings of a detector whose figures are no sign of a good spec."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from msgspec import structs

from converters.data.picture_set import Picture, PictureSet, TrueBox
from converters.proof.box_evidence import low_precision, many_false_boxes
from converters.proof.box_judge import box_figures
from converters.proof.verdict import Judged
from converters.report.report_file import BoxLabelReport, ShareReport
from edge_sdk.contract.values import Detections

_THING, _ELSEWHERE = (0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 40.0, 40.0)


def judged(right: int, false: int, pictures: int = 12, false_score: float = 0.6) -> Judged:
    """One thing in each picture, found in some; and a false box in some."""
    samples = tuple(
        Picture(f"{n}.png", Path("x"), frozenset({"cat"}), f"{n:064x}", 60, 80, (TrueBox("cat", _THING, ""),))
        for n in range(pictures)
    )
    found = []
    for n in range(pictures):
        boxes = [(_THING, 0.9)] * (n < right) + [(_ELSEWHERE, false_score)] * (n < false)
        found.append(
            Detections(
                np.array([box for box, _ in boxes], np.float32).reshape(-1, 4),
                np.array([score for _, score in boxes], np.float32),
                np.zeros(len(boxes), np.int64),
            )
        )
    return box_figures(PictureSet(Path("set"), ("cat",), samples), found, {"cat": 0.5})


def test_a_detector_that_finds_next_to_nothing_is_told() -> None:
    (warning,) = low_precision(judged(right=1, false=0))
    assert warning.startswith("mAP50 of the trained model itself is 0.089, which is very low: ")
    assert low_precision(judged(right=6, false=12)) == []


def test_two_false_boxes_for_a_right_one_are_told_by_label() -> None:
    (warning,) = many_false_boxes(judged(right=5, false=12).labels)
    assert "12 of 17 boxes are false, precision 0.294: cat (12 of 17)" in warning


def test_few_false_boxes_or_a_smaller_share_or_below_threshold_are_not() -> None:
    assert many_false_boxes(judged(right=1, false=9).labels) == []
    assert many_false_boxes(judged(right=6, false=12).labels) == []
    assert many_false_boxes(judged(right=5, false=12, false_score=0.4).labels) == []


def test_false_boxes_of_a_label_that_nobody_annotated_are_no_evidence() -> None:
    found = judged(right=5, false=12)
    nowhere = [
        structs.replace(label, recall=ShareReport(value=None, low=0.0, high=1.0, hits=0, n=0))
        for label in boxed(found)
    ]
    assert many_false_boxes(nowhere) == []


def boxed(found: Judged) -> list[BoxLabelReport]:
    return [label for label in found.labels if isinstance(label, BoxLabelReport)]
