"""Boxes held against true ones and against those of another model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from converters.data.picture_set import Passed, Picture, PictureSet, TrueBox
from converters.proof.average_precision import average_precision
from converters.proof.box_counts import count_boxes, true_scores
from converters.proof.box_golden import choose_pictures
from converters.proof.box_judge import BoxJudge
from converters.report.report_file import BoxLabelReport
from edge_sdk.contract.values import Box, Detections

LABELS = ("cat", "dog")
A, B, C = (0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 40.0, 40.0), (50.0, 0.0, 60.0, 30.0)


def pictures(*contents: Sequence[tuple[str, Box, Passed]]) -> PictureSet:
    samples = []
    for number, content in enumerate(contents):
        boxes = tuple(TrueBox(label, box, passed) for label, box, passed in content)
        labels = frozenset(box.label_id for box in boxes if not box.passed)
        name = f"{number}.png"
        samples.append(Picture(name, Path(name), labels, f"{number:064x}", 60, 80, boxes))
    return PictureSet(Path("set"), LABELS, tuple(samples))


def found(*boxes: tuple[str, Box, float]) -> Detections:
    return Detections(
        np.array([box for _, box, _ in boxes], dtype=np.float32).reshape(-1, 4),
        np.array([score for _, _, score in boxes], dtype=np.float32),
        np.array([LABELS.index(label) for label, _, _ in boxes], dtype=np.int64),
    )


def test_perfect_boxes_have_a_precision_of_one() -> None:
    true = pictures([("cat", A, ""), ("dog", B, "")], [("cat", C, "")])
    precision = average_precision(true, [found(("cat", A, 0.9), ("dog", B, 0.8)), found(("cat", C, 0.7))])
    assert precision.map50 == pytest.approx(1.0)
    assert precision.map50_95 == pytest.approx(1.0)
    assert set(precision.by_label) == {"cat", "dog"}


def test_a_false_box_above_the_right_one_costs_half() -> None:
    precision = average_precision(pictures([("cat", A, "")]), [found(("cat", B, 0.9), ("cat", A, 0.8))])
    assert precision.map50 == pytest.approx(0.5)


def test_a_box_that_overlaps_by_six_tenths_counts_for_three_of_ten_overlaps() -> None:
    precision = average_precision(pictures([("cat", A, "")]), [found(("cat", (0.0, 0.0, 10.0, 6.2), 0.9))])
    assert precision.map50 == pytest.approx(1.0)
    assert precision.map50_95 == pytest.approx(0.3)


def test_labels_without_a_true_box_are_not_averaged() -> None:
    precision = average_precision(pictures([("cat", A, "")]), [found(("cat", A, 0.9), ("dog", B, 0.99))])
    assert list(precision.by_label) == ["cat"]
    assert precision.by_label["cat"] == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("passed", ["difficult", "crowd"])
def test_what_is_passed_over_neither_counts_as_missed_nor_as_false(passed: Passed) -> None:
    true = pictures([("cat", A, ""), ("cat", B, passed)])
    for boxes in ([("cat", A, 0.8)], [("cat", A, 0.8), ("cat", B, 0.9)]):
        assert average_precision(true, [found(*boxes)]).map50 == pytest.approx(1.0)
        counts = count_boxes(true, [found(*boxes)], {})
        assert (counts.recall(0).hits, counts.recall(0).n) == (1, 1)
        assert (counts.precision(0).hits, counts.precision(0).n) == (1, 1)


def test_any_number_of_boxes_may_lie_within_a_crowd() -> None:
    true = pictures([("cat", (0, 0, 60, 60), "crowd"), ("cat", C, "")])
    given = found(("cat", A, 0.9), ("cat", B, 0.8), ("cat", C, 0.7), ("dog", A, 0.9))
    counts = count_boxes(true, [given], {})
    assert (counts.precision(0).hits, counts.precision(0).n) == (1, 1)
    assert counts.precision(1).n == 1


def test_a_box_counts_from_its_labels_threshold_on() -> None:
    true = pictures([("cat", A, ""), ("dog", B, "")])
    counts = count_boxes(true, [found(("cat", A, 0.6), ("dog", B, 0.6))], {"cat": 0.7, "dog": 0.3})
    assert counts.recall(0).value == 0.0
    assert counts.recall(1).value == 1.0
    assert true_scores(true, [found(("cat", A, 0.6))]).tolist() == pytest.approx([0.6, 0.0])


def test_the_best_scored_box_over_a_thing_is_the_things() -> None:
    """Soft suppression leaves others of low score, some of which lie better."""
    true = pictures([("cat", A, "")])
    given = found(("cat", (0.0, 0.0, 10.0, 8.0), 0.9), ("cat", A, 0.1))
    assert true_scores(true, [given]).tolist() == pytest.approx([0.9])
    counts = count_boxes(true, [given], {"cat": 0.05})
    assert (counts.recall(0).hits, counts.precision(0).hits, counts.precision(0).n) == (1, 1, 2)


def judged(source: Detections, variant: Detections, max_drop: float = 0.01) -> tuple[float, float, str, str]:
    judge = BoxJudge({}, pictures([("cat", A, ""), ("dog", B, "")]), max_drop)
    before, after = judge.figures([source]), judge.figures([variant])
    verdict = judge.judge([source], [variant], before, after)
    moved = verdict.furthest[0].label if verdict.furthest else ""
    return verdict.agreement, verdict.max_abs_difference, verdict.refusal, moved


def test_a_variant_that_finds_the_same_agrees() -> None:
    same = found(("cat", A, 0.9), ("dog", B, 0.8))
    assert judged(same, same) == (1.0, 0.0, "", "cat")


def test_a_variant_that_loses_a_thing_is_refused_and_says_where() -> None:
    agreement, difference, refusal, moved = judged(
        found(("cat", A, 0.9), ("dog", B, 0.8)), found(("cat", A, 0.85))
    )
    assert agreement == pytest.approx(2 / 3)
    assert difference == pytest.approx(0.05)
    assert "the metric drops by 0.5000" in refusal
    assert "0.png" in refusal
    assert moved == "dog"


def test_a_box_that_falls_below_its_threshold_is_no_partner() -> None:
    agreement, difference, refusal, _ = judged(found(("cat", A, 0.55)), found(("cat", A, 0.45)))
    assert (agreement, refusal) == (0.0, "")
    assert difference == pytest.approx(0.1)


def test_a_weak_box_that_lies_better_does_not_stand_for_a_strong_one() -> None:
    source = found(("cat", A, 0.9))
    variant = found(("cat", (0.0, 0.0, 10.0, 9.0), 0.88), ("cat", A, 0.1))
    agreement, difference, _, _ = judged(source, variant)
    assert agreement == 1.0
    assert difference == pytest.approx(0.02)


def cats_and_dogs(dogs: int, found_dogs: int) -> tuple[PictureSet, list[Detections]]:
    """One cat in each of 200 pictures, which is found, and a dog in some of them, of which some are."""
    cat: tuple[str, Box, Passed] = ("cat", A, "")
    dog: tuple[str, Box, Passed] = ("dog", B, "")
    true = pictures(*([cat, dog] if index < dogs else [cat] for index in range(200)))
    given = [("cat", A, 0.9)], [("cat", A, 0.9), ("dog", B, 0.8)]
    return true, [found(*given[index < found_dogs]) for index in range(200)]


@pytest.mark.parametrize(
    ("dogs", "lost", "outcome"),
    [(20, 1, ""), (20, 3, ""), (20, 16, "'dog' drops by 0.79"), (9, 8, "")],
    ids=["one of twenty", "a few of twenty", "most of twenty", "too few to be judged"],
)
def test_a_label_that_surely_drops_is_refused_though_the_whole_does_not(
    dogs: int, lost: int, outcome: str
) -> None:
    true, source = cats_and_dogs(dogs, dogs)
    _, variant = cats_and_dogs(dogs, dogs - lost)
    judge = BoxJudge({}, true, max_drop=lost / dogs / 2 + 0.01)  # half of it is the drop of the mean
    verdict = judge.judge(source, variant, judge.figures(source), judge.figures(variant))
    assert verdict.worst_label == "dog"
    assert verdict.worst_label_drop == pytest.approx(lost / dogs, abs=0.01)
    assert verdict.refusal.startswith(outcome)
    assert bool(verdict.refusal) is bool(outcome)


def test_boxes_of_a_label_that_is_nowhere_are_false() -> None:
    figures = BoxJudge({}, pictures([("cat", A, "")]), 0.01).figures([found(("dog", B, 0.9))])
    cat, dog = figures.labels
    assert isinstance(cat, BoxLabelReport)
    assert isinstance(dog, BoxLabelReport)
    assert (cat.missed, cat.false) == (1, 0)
    assert (dog.missed, dog.false, dog.ap50) == (0, 1, None)


def test_golden_pictures_show_as_many_labels_as_few_can_and_one_the_least() -> None:
    true = pictures([("cat", A, "")], [("dog", B, "")], [], [], [], [], [])
    answers = [
        found(("cat", A, 0.6)),
        found(("cat", A, 0.95)),
        found(("dog", B, 0.8)),
        found(("dog", A, 0.1)),
        found(("cat", C, 0.9), ("dog", B, 0.7)),  # both
        found(),
        found(("cat", C, 0.6), ("dog", B, 0.7)),
    ]
    assert choose_pictures(true, answers, {}) == [4, 5, 6, 1]
    # Where the dogs of both are below their threshold, the surest of each.
    assert choose_pictures(true, answers, {"dog": 0.75}) == [1, 2, 5, 4]
