"""Boxes are paired with the ones that they overlap most, each once, and only within a label."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.values import Box, Detections
from edge_sdk.decode.box_matching import match_boxes


def found(*boxes: Box, labels: list[int] | None = None) -> Detections:
    corners = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    own = np.array(labels or [0] * len(boxes), dtype=np.int64)
    return Detections(corners, np.full(len(boxes), 0.5, dtype=np.float32), own)


def test_the_largest_overlap_comes_first_and_each_box_is_used_once() -> None:
    first = found((0, 0, 10, 10), (2, 0, 12, 10))
    second = found((2, 0, 12, 10), (0, 0, 10, 8))
    assert [(left, right) for left, right, _ in match_boxes(first, second, 0.5)] == [(1, 0), (0, 1)]


def test_boxes_of_different_labels_are_no_pair() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    assert match_boxes(found(box, labels=[1]), found(box, labels=[2]), 0.0) == []


def test_too_little_overlap_is_none() -> None:
    assert match_boxes(found((0, 0, 10, 10)), found((9, 9, 19, 19)), 0.5) == []


def test_with_nothing_there_is_no_pair() -> None:
    assert match_boxes(found(), found((0, 0, 1, 1)), 0.0) == []
    assert match_boxes(found((0, 0, 1, 1)), found(), 0.0) == []


corner = st.integers(0, 20)
boxes = st.lists(
    st.tuples(corner, corner, st.integers(1, 9), st.integers(1, 9)).map(
        lambda box: (float(box[0]), float(box[1]), float(box[0] + box[2]), float(box[1] + box[3]))
    ),
    max_size=6,
)


@given(left=boxes, right=boxes)
def test_nothing_is_used_twice_and_no_pair_is_left(left: list[Box], right: list[Box]) -> None:
    first, second = found(*left), found(*right)
    pairs = match_boxes(first, second, 0.3)
    assert len({pair[0] for pair in pairs}) == len({pair[1] for pair in pairs}) == len(pairs)
    assert all(overlap >= 0.3 for _, _, overlap in pairs)
    used_left, used_right = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    rest = match_boxes(
        found(*[box for index, box in enumerate(left) if index not in used_left]),
        found(*[box for index, box in enumerate(right) if index not in used_right]),
        0.3,
    )
    assert rest == []
