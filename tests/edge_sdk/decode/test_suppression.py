from __future__ import annotations

import itertools
import math
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from slow_boxes import Corners, Found, assert_same_boxes, slow_iou, slow_nms

from edge_sdk.contract.detector import Suppression
from edge_sdk.decode.greedy import keep_best
from edge_sdk.decode.nearness import Nearness
from edge_sdk.decode.raw_detections import RawDetections
from edge_sdk.decode.suppression import suppress


def crowd(seed: int, n: int, things: int, labels: int) -> list[Found]:
    """Boxes around so many things, each somewhat beside it; scores are all different."""
    rng = np.random.default_rng(seed)
    centers = rng.uniform(0, 300, (things, 2))
    sizes = rng.uniform(20, 90, (things, 2))
    thing = rng.integers(0, things, n)
    scores = (rng.permutation(n) + 1) / (n + 1)
    low = centers[thing] + rng.normal(0, 6, (n, 2))
    high = low + np.maximum(sizes[thing] + rng.normal(0, 6, (n, 2)), 1)
    corners = np.concatenate([low, high], axis=1).astype(np.float32).tolist()
    return [
        Found((box[0], box[1], box[2], box[3]), float(np.float32(score)), int(label))
        for box, score, label in zip(corners, scores, thing % labels, strict=True)
    ]


def as_raw(found: list[Found]) -> RawDetections:
    return RawDetections(
        np.array([one.box for one in found], np.float32).reshape(-1, 4),
        np.array([one.score for one in found], np.float32),
        np.array([one.label for one in found], np.int64),
    )


def no_close_call(found: list[Found], threshold: float) -> bool:
    """Whether rounding to float32 can decide nothing."""
    return all(
        abs(slow_iou(one.box, other.box) - threshold) > 1e-5
        for place, one in enumerate(found)
        for other in found[:place]
    )


crowds = st.builds(
    crowd, st.integers(0, 10_000), st.integers(0, 150), st.integers(1, 40), st.sampled_from([1, 3, 20])
)


@given(found=crowds, threshold=st.sampled_from([0.0, 0.3, 0.45, 0.7, 1.0]), by_class=st.booleans())
def test_hard_suppression_is_the_plain_loop(found: list[Found], threshold: float, *, by_class: bool) -> None:
    assume(threshold in (0.0, 1.0) or no_close_call(found, threshold))
    rule = Suppression(iou_threshold=threshold, by_class=by_class)
    actual = suppress(as_raw(found), rule, least_score=0, most=1000)
    assert_same_boxes(actual, slow_nms(found, threshold, by_class=by_class), pixels=0)


@pytest.mark.parametrize("things", [1, 10, 150, 600])
@pytest.mark.parametrize("labels", [1, 4, 40])
def test_hard_suppression_of_many_boxes_is_the_plain_loop(things: int, labels: int) -> None:
    found = crowd(things + labels, 700, things, labels)
    kept = keep_best(*as_raw(found)[:2], 0.45, as_raw(found).labels)
    assert [found[index] for index in kept] == slow_nms(found, 0.45)


def test_thousands_of_boxes_of_many_labels_are_settled_as_the_plain_loop_does() -> None:
    found = crowd(7, 6000, 90, 30)
    kept = keep_best(*as_raw(found)[:2], 0.45, as_raw(found).labels)
    assert [found[index] for index in kept] == slow_nms(found, 0.45)


def test_labels_beyond_a_byte_are_told_apart() -> None:
    boxes = np.tile(np.array([0, 0, 10, 10], np.float32), (300, 1))
    scores = np.linspace(1, 0.5, 300, dtype=np.float32)
    labels = np.arange(300) % 3 * 256
    assert keep_best(boxes, scores, 0.5, labels).tolist() == [0, 1, 2]


@pytest.mark.parametrize("place", [0.0, 8000.0, 900_000.0])
def test_boxes_far_out_change_nothing_for_the_others(place: float) -> None:
    found = crowd(3, 300, 30, 1)
    far = [
        Found((place + 4, place, place + 40, place + 30), 0.001, 0),
        Found((place + 4, place, place + 40, place + 31), 0.0005, 0),
        Found((-1e6, -1e6, 1e6, 1e6), 0.999, 0),
    ]
    kept = keep_best(*as_raw(found + far)[:2], 0.45)
    assert [(found + far)[index] for index in kept] == slow_nms(found + far, 0.45)


def test_boxes_without_area_stay_and_suppress_nothing() -> None:
    flat = [Found((100, 100, 50, 40), 0.9999, 0), Found((60, 60, 60, 60), 0.00001, 0)]
    found = crowd(5, 200, 20, 1) + flat
    kept = keep_best(*as_raw(found)[:2], 0.3)
    assert [found[index] for index in kept] == slow_nms(found, 0.3)


@given(found=crowds, threshold=st.floats(0, 1))
def test_no_pair_that_overlaps_too_much_is_taken_to_be_apart(found: list[Found], threshold: float) -> None:
    raw = as_raw(found)
    near = Nearness(raw.boxes.T, threshold, raw.labels)
    size, first, second = near.pairs(len(found), most=len(found) ** 2)
    assert size == len(found)
    overlapping = {
        (one, other)
        for other in range(len(found))
        for one in range(other)
        if found[one].label == found[other].label
        and slow_iou(found[one].box, found[other].box) > threshold + 1e-6
    }
    assert overlapping <= set(zip(first.tolist(), second.tolist(), strict=True))


def test_long_chain_of_overlaps_is_walked_from_the_best_down() -> None:
    found = [Found((4.0 * i, 0, 4.0 * i + 10, 10), 1 - i / 200, 0) for i in range(150)]
    kept = keep_best(*as_raw(found)[:2], 0.4)
    assert kept.tolist() == list(range(0, 150, 2))


@pytest.mark.parametrize("count", [20, 100, 1000])
def test_of_equal_scores_the_first_stays(count: int) -> None:
    boxes = np.tile(np.array([0, 0, 10, 10], np.float32), (count, 1))
    scores = np.where(np.arange(count) < count // 2, 0.4, 0.5).astype(np.float32)
    assert keep_best(boxes, scores, 0.5).tolist() == [count // 2]


@pytest.mark.parametrize("method", ["hard", "soft", "weighted", "none"])
def test_nothing_in_gives_nothing_out(method: str) -> None:
    nothing = as_raw([])
    rule = Suppression(method=method)  # type: ignore[arg-type]
    assert len(suppress(nothing, rule, least_score=0.1, most=5).scores) == 0
    assert len(keep_best(nothing.boxes, nothing.scores, 0.5)) == 0


@pytest.mark.parametrize("method", ["hard", "soft", "weighted", "none"])
def test_the_best_come_first_and_no_more_than_asked_for(method: str) -> None:
    found = as_raw(crowd(1, 60, 20, 3))
    rule = Suppression(method=method)  # type: ignore[arg-type]
    few = suppress(found, rule, least_score=0.01, most=4)
    all_of_them = suppress(found, rule, least_score=0.01, most=100)
    assert (np.diff(all_of_them.scores) <= 0).all()
    np.testing.assert_array_equal(few.boxes, all_of_them.boxes[:4])


def slow_soft(found: list[Found], sigma: float, least: float, *, by_class: bool) -> list[Found]:
    left, picked = list(found), []
    while left:
        best = max(left, key=lambda one: one.score)
        left.remove(best)
        picked.append(best)
        decayed = []
        for one in left:
            rival = one.label == best.label or not by_class
            factor = math.exp(-(slow_iou(one.box, best.box) ** 2) / sigma) if rival else 1.0
            decayed.append(one._replace(score=one.score * factor))
        left = [one for one in decayed if one.score >= least]
    return picked


@settings(max_examples=40)
@given(found=crowds, sigma=st.sampled_from([0.1, 0.5, 2.0]), by_class=st.booleans())
def test_soft_suppression_is_the_plain_loop(found: list[Found], sigma: float, *, by_class: bool) -> None:
    expected = slow_soft(found, sigma, 0.2, by_class=by_class)
    near = slow_soft(found, sigma, 0.2 * (1 - 1e-4), by_class=by_class)
    assume(len(near) == len(expected))
    scores = sorted(one.score for one in expected)
    assume(all(b - a > 1e-5 for a, b in itertools.pairwise(scores)))
    rule = Suppression(method="soft", sigma=sigma, by_class=by_class)
    assert_same_boxes(suppress(as_raw(found), rule, least_score=0.2, most=1000), expected)


def slow_weighted(found: list[Found], threshold: float) -> list[Found]:
    left, merged = sorted(found, key=lambda one: -one.score), []
    while left:
        best = left[0]
        group = [
            one
            for one in left
            if one is best or (one.label == best.label and slow_iou(one.box, best.box) > threshold)
        ]
        total = sum(one.score for one in group)
        mean = [sum(one.score * one.box[side] for one in group) / total for side in range(4)]
        box: Corners = (mean[0], mean[1], mean[2], mean[3])
        merged.append(Found(box, best.score, best.label))
        left = [one for one in left if one not in group]
    return merged


@settings(max_examples=40)
@given(crowds)
def test_weighted_suppression_is_the_plain_loop(found: list[Found]) -> None:
    assume(no_close_call(found, 0.3))
    rule = Suppression(method="weighted", iou_threshold=0.3)
    actual = suppress(as_raw(found), rule, least_score=0, most=1000)
    assert_same_boxes(actual, slow_weighted(found, 0.3))


def test_boxes_of_different_classes_leave_each_other_alone_only_if_told_so() -> None:
    found = as_raw([Found((0, 0, 10, 10), 0.9, 0), Found((0, 0, 10, 10), 0.8, 1)])
    assert suppress(found, Suppression(), least_score=0, most=9).labels.tolist() == [0, 1]
    agnostic = Suppression(by_class=False)
    assert suppress(found, agnostic, least_score=0, most=9).labels.tolist() == [0]


def slow_merge(found: list[Found], *, by_class: bool) -> list[Found]:
    left = sorted(found, key=lambda one: -one.score)
    merged = []
    while left:
        best = left.pop(0)
        box, grown = best.box, True
        while grown:
            grown = False
            for other in list(left):
                apart = any(
                    max(box[side], other.box[side]) > min(box[side + 2], other.box[side + 2])
                    for side in (0, 1)
                )
                if not apart and (other.label == best.label or not by_class):
                    left.remove(other)
                    low = (min(box[0], other.box[0]), min(box[1], other.box[1]))
                    box, grown = (*low, max(box[2], other.box[2]), max(box[3], other.box[3])), True
        merged.append(best._replace(box=box))
    return merged


@given(
    cells=st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 1)), max_size=40, unique=True
    ),
    by_class=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_merged_boxes_are_those_of_the_plain_loop(
    cells: list[tuple[int, int, int]], random: Random, *, by_class: bool
) -> None:
    scores = [(place + 1) / (len(cells) + 1) for place in range(len(cells))]
    random.shuffle(scores)
    found = [
        Found((8.0 * x, 8.0 * y, 8.0 * x + 8, 8.0 * y + 8), float(np.float32(score)), label)
        for (x, y, label), score in zip(cells, scores, strict=True)
    ]
    rule = Suppression(method="merge", by_class=by_class)
    actual = suppress(as_raw(found), rule, least_score=0.0, most=1000)
    assert_same_boxes(actual, slow_merge(found, by_class=by_class))


def test_merging_gives_no_more_boxes_than_asked_for() -> None:
    apart = [Found((20.0 * n, 0, 20.0 * n + 8, 8), 0.9 - 0.1 * n, 0) for n in range(5)]
    kept = suppress(as_raw(apart), Suppression(method="merge"), least_score=0.0, most=2)
    assert_same_boxes(kept, apart[:2])
