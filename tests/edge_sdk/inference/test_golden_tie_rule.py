"""What is a tie of two boxes, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from given_boxes import boxes
from msgspec import structs
from tiny_pictures import thing_output

from edge_sdk.contract.detector import CandidateBoxes, Suppression
from edge_sdk.contract.values import Detections
from edge_sdk.inference.golden_ties import Ties, most_ties, without_suppression

FIRST, SECOND, BESIDE, ELSEWHERE = (
    (0.0, 0.0, 10.0, 10.0),
    (2.0, 0.0, 12.0, 10.0),  # an overlap of 0.67 with the first
    (6.0, 0.0, 16.0, 10.0),  # 0.43 with the second, 0.25 with the first
    (40.0, 0.0, 50.0, 10.0),
)


def ties(wanted: Detections, found: Detections, before: Detections, threshold: float = 0.4) -> Ties:
    output = structs.replace(
        thing_output(), least_score=0.5, suppression=Suppression(iou_threshold=threshold)
    )
    return Ties(output, before, found, wanted, bound=0.02, least_iou=0.9)


def test_two_boxes_of_nearly_one_score_may_change_places() -> None:
    wanted, found = boxes((ELSEWHERE, 0.7), (FIRST, 0.80)), boxes((SECOND, 0.805), (ELSEWHERE, 0.7))
    before = boxes((SECOND, 0.805), (FIRST, 0.795), (ELSEWHERE, 0.7))
    assert ties(wanted, found, before).pairs([1], [0]) == [(1, 0)]


@pytest.mark.parametrize(
    "before",
    [
        boxes((SECOND, 0.805)),
        boxes((SECOND, 0.805), (FIRST, 0.77)),
        boxes((SECOND, 0.805), (FIRST, 0.81)),
        boxes((SECOND, 0.805), ((1.0, 0.0, 11.0, 10.0), 0.8)),
    ],
    ids=["not there before", "of another score", "better than what is left", "in another place"],
)
def test_a_box_that_did_not_lose_by_a_little_is_missing(before: Detections) -> None:
    assert ties(boxes((FIRST, 0.80)), boxes((SECOND, 0.805)), before).pairs([0], [0]) == []


def test_a_box_of_another_label_excuses_nothing() -> None:
    found, before = boxes((SECOND, 0.805)), boxes((SECOND, 0.805), (FIRST, 0.795))
    found.labels[0] = before.labels[0] = 1
    assert ties(boxes((FIRST, 0.80)), found, before).pairs([0], [0]) == []


def test_scores_further_apart_than_the_expected_one_may_be_are_no_tie() -> None:
    """Here the device's two are near, but what was expected is not."""
    before = boxes((SECOND, 0.825), (FIRST, 0.815))
    assert ties(boxes((FIRST, 0.80)), boxes((SECOND, 0.825)), before).pairs([0], [0]) == []


@pytest.mark.parametrize("threshold", [0.1, 0.4])
def test_boxes_that_hardly_overlap_are_no_tie(threshold: float) -> None:
    """Not at a threshold below which suppression would take them for one thing, either."""
    before = boxes((BESIDE, 0.805), (FIRST, 0.795))
    judged = ties(boxes((FIRST, 0.80)), boxes((BESIDE, 0.805)), before, threshold)
    assert judged.pairs([0], [0]) == []


@pytest.mark.parametrize(("expected", "candidate"), [(0.7, 0.72), (0.72, 0.7)])
def test_scores_further_apart_are_no_tie_whatever_the_bound(expected: float, candidate: float) -> None:
    found, before = boxes((SECOND, 0.73)), boxes((SECOND, 0.73), (FIRST, candidate))
    judged = replace(ties(boxes((FIRST, expected)), found, before), bound=0.2)
    assert judged.pairs([0], [0]) == []


def test_a_box_that_is_left_is_not_one_that_lost() -> None:
    """Though it is where a box was expected: it may be the partner of another one."""
    found = boxes((SECOND, 0.805), (FIRST, 0.8))
    assert ties(boxes((FIRST, 0.8)), found, found).pairs([0], [0]) == []


def test_one_box_excuses_one_other() -> None:
    """Neither two expected ones by what was found between them, nor two by one candidate."""
    beyond = (4.0, 0.0, 14.0, 10.0)
    wanted, before = boxes((FIRST, 0.8), (beyond, 0.8)), boxes((SECOND, 0.805), (FIRST, 0.8), (beyond, 0.8))
    assert len(ties(wanted, boxes((SECOND, 0.805)), before).pairs([0, 1], [0])) == 1
    found, before = boxes((SECOND, 0.805), (SECOND, 0.805)), boxes((SECOND, 0.805), (FIRST, 0.8))
    assert len(ties(boxes((FIRST, 0.8), (FIRST, 0.8)), found, before).pairs([0, 1], [0, 1])) == 1


@pytest.mark.parametrize(("boxes_in_all", "may"), [(1, 0), (4, 0), (5, 1), (19, 1), (20, 2), (193, 19)])
def test_few_boxes_may_be_tied(boxes_in_all: int, may: int) -> None:
    assert most_ties(boxes_in_all) == may


@pytest.mark.parametrize("method", ["soft", "weighted", "merge", "none"])
def test_only_a_rule_that_drops_boxes_is_looked_behind(method: str) -> None:
    output: CandidateBoxes = thing_output()
    other = structs.replace(output, suppression=structs.replace(output.suppression, method=method))
    assert without_suppression(other, 0.3) is None
    hard = without_suppression(structs.replace(output, suppression=Suppression(), least_score=0.5), 0.3)
    assert hard is not None
    assert (hard.suppression.method, hard.least_score) == ("none", 0.3)
