from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from slow_boxes import slow_area, slow_iou

from edge_sdk.decode import boxes
from edge_sdk.decode.box_matching import match_boxes
from edge_sdk.decode.greedy import keep_best
from edge_sdk.decode.overlap import area, giou, iou, pairwise_giou, pairwise_iou
from edge_sdk.decode.suppression import suppress

coordinates = st.integers(-20, 20) | st.floats(-1000, 1000, width=32)
some_boxes = st.integers(0, 6).flatmap(lambda n: arrays(np.float64, (n, 4), elements=coordinates))
Boxes = npt.NDArray[np.float64]


def slow_giou(a: list[float], b: list[float]) -> float:
    around = slow_area((min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])))
    inter = slow_area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    union = slow_area(a) + slow_area(b) - inter
    return slow_iou(a, b) - ((around - union) / around if around > 0 else 0)


@given(some_boxes, some_boxes)
def test_each_with_each_is_the_plain_formula(first: Boxes, second: Boxes) -> None:
    overlaps, generalized = pairwise_iou(first, second), pairwise_giou(first, second)
    assert overlaps.shape == generalized.shape == (len(first), len(second))
    for i, a in enumerate(first.tolist()):
        for j, b in enumerate(second.tolist()):
            np.testing.assert_allclose(overlaps[i, j], slow_iou(a, b), atol=1e-9)
            np.testing.assert_allclose(generalized[i, j], slow_giou(a, b), atol=1e-9)


@given(some_boxes)
def test_one_by_one_is_the_diagonal_of_each_with_each(boxes: Boxes) -> None:
    others = boxes[::-1]
    np.testing.assert_array_equal(iou(boxes, others), np.diag(pairwise_iou(boxes, others)))
    np.testing.assert_array_equal(giou(boxes, others), np.diag(pairwise_giou(boxes, others)))


@given(some_boxes)
def test_a_box_covers_itself_and_a_box_without_area_nothing(boxes: Boxes) -> None:
    np.testing.assert_allclose(iou(boxes, boxes), (area(boxes) > 0).astype(float))


def test_boxes_far_apart_are_told_from_boxes_close_by() -> None:
    box, near, far = np.array([[0.0, 0, 10, 10], [20, 0, 30, 10], [90, 0, 100, 10]])
    assert iou(box, near) == iou(box, far) == 0
    assert -1 < giou(box, far) < giou(box, near) < 0


def test_float32_stays_float32() -> None:
    boxes = np.ones((2, 4), np.float32)
    assert pairwise_iou(boxes, boxes).dtype == pairwise_giou(boxes, boxes).dtype == np.float32


def test_everything_about_boxes_can_be_had_from_one_place() -> None:
    """Overlap, suppression and pairing: each is the very function that the decoder calls."""
    assert boxes.__all__ == sorted(boxes.__all__)
    made = [getattr(boxes, name) for name in boxes.__all__]
    assert made == [area, giou, iou, keep_best, match_boxes, pairwise_giou, pairwise_iou, suppress]
