from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_sdk.contract.detector import DetectionRows, DetectionTensors, DirectCoding, Suppression
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.decode.detections import detection_decoder
from edge_sdk.errors import BackendError, ModelError

IMAGE = ImageInput(width=200, height=100)
TENSORS = DetectionTensors(boxes="boxes", classes="classes", scores="scores", count="count")
CAFFE = DetectionRows(
    box_column=3, score_column=2, class_column=1, first_class=1, coding=DirectCoding(units="shares")
)


def outputs(**changes: Any) -> dict[str, Array]:
    boxes = np.zeros((1, 5, 4), np.float32)
    boxes[0, :2] = [(0.1, 0.1, 0.5, 0.5), (0.5, 0.5, 1.0, 1.0)]
    answer: dict[str, Array] = {
        "boxes": boxes,
        "classes": np.array([[1, 2, 0, 0, 0]], np.float32),
        "scores": np.array([[0.6, 0.9, 0.5, 0.5, 0.5]], np.float32),
        "count": np.array([2], np.float32),
    }
    return answer | changes


def test_rows_beyond_the_count_are_not_boxes_and_the_best_comes_first() -> None:
    found = detection_decoder(TENSORS, IMAGE, 3)(outputs())
    np.testing.assert_allclose(found.boxes, [[100, 50, 200, 100], [20, 10, 100, 50]])
    assert found.labels.tolist() == [2, 1]
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert found.labels.dtype == np.int64


@pytest.mark.parametrize("form", ["without a batch", "with axes of 1", "whole numbers"])
def test_form_of_the_tensors_does_not_matter(form: str) -> None:
    answer = outputs()
    if form == "without a batch":
        answer = {name: value if name == "count" else value[0] for name, value in answer.items()}
    elif form == "with axes of 1":
        answer["scores"], answer["count"] = answer["scores"][..., None], answer["count"][None]
    else:
        answer["classes"], answer["count"] = answer["classes"].astype(np.int64), np.array([2], np.int32)
    found = detection_decoder(TENSORS, IMAGE, 3)(answer)
    assert found.labels.tolist() == [2, 1]


def test_without_a_count_the_score_tells_what_is_a_box() -> None:
    answer = outputs(scores=np.array([[0.6, 0.9, 0.0, -1.0, 0.0]], np.float32))
    del answer["count"]
    output = DetectionTensors(boxes="boxes", classes="classes", scores="scores")
    assert len(detection_decoder(output, IMAGE, 3)(answer).scores) == 2


def test_score_may_be_the_fifth_number_of_a_box() -> None:
    rows = np.array([[[10, 20, 30, 40, 0.8], [0, 0, 5, 5, 0.3]]], np.float32)
    output = DetectionTensors(boxes="dets", classes="labels", scores="dets", coding=DirectCoding())
    found = detection_decoder(output, IMAGE, 3)({"dets": rows, "labels": np.array([[2, 0]], np.int64)})
    np.testing.assert_array_equal(found.boxes, rows[0, :, :4])
    np.testing.assert_array_equal(found.scores, rows[0, :, 4])
    assert found.labels.tolist() == [2, 0]


def test_caffe_rows_have_picture_class_score_and_shares() -> None:
    rows = np.zeros((1, 1, 4, 7), np.float32)
    rows[0, 0, :2] = [(0, 1, 0.9, 0.1, 0.2, 0.3, 0.4), (0, 3, 0.5, 0.0, 0.0, 1.0, 1.0)]
    rows[0, 0, 2:, 0] = -1  # no more pictures
    found = detection_decoder(CAFFE, IMAGE, 3)({"detection_out": rows})
    np.testing.assert_allclose(found.boxes, [[20, 20, 60, 40], [0, 0, 200, 100]])
    assert found.labels.tolist() == [0, 2]


def test_no_rows_are_no_boxes() -> None:
    found = detection_decoder(DetectionRows(), IMAGE, 3)({"output": np.zeros((0, 6), np.float32)})
    assert found.boxes.shape == (0, 4)


def test_finished_boxes_can_still_be_suppressed_and_limited() -> None:
    rows = np.tile(np.array([0, 0, 10, 10, 0.9, 1], np.float32), (50, 1))
    rows[25:, :4] += 50
    suppressed = DetectionRows(suppression=Suppression())
    assert len(detection_decoder(suppressed, IMAGE, 3)({"": rows}).scores) == 2
    assert len(detection_decoder(DetectionRows(most=7), IMAGE, 3)({"": rows}).scores) == 7


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"boxes": np.zeros((1, 5, 3), np.float32)},
            r"'boxes' has the shape \[1, 5, 3\].*\[1, n, 4 or more\]",
        ),
        ({"boxes": np.zeros((2, 5, 4), np.float32)}, r"'boxes' has the shape \[2, 5, 4\]"),
        ({"scores": np.zeros((1, 4), np.float32)}, "not equally many"),
        ({"count": np.zeros((1, 5), np.float32)}, r"'count' has the shape \[1, 5\], not \[1\]"),
    ],
)
def test_other_shapes_are_refused_before_and_while_running(changes: dict[str, Array], message: str) -> None:
    decoder, answer = detection_decoder(TENSORS, IMAGE, 3), outputs(**changes)
    with pytest.raises(ModelError, match=message):
        decoder.check([TensorSpec(name, value.shape, "float32") for name, value in answer.items()])
    with pytest.raises(ModelError, match=message):
        decoder(answer)


def test_missing_output_is_named_and_the_others_listed() -> None:
    specs = [TensorSpec("boxes", (1, None, 4), "float32"), TensorSpec("scores", (1, None), "float32")]
    with pytest.raises(ModelError, match="no output 'classes'") as caught:
        detection_decoder(TENSORS, IMAGE, 3).check(specs)
    assert caught.value.hint == "the model's outputs: boxes [1, ?, 4]; scores [1, ?]"
    with pytest.raises(ModelError, match="does not say which output"):
        detection_decoder(DetectionRows(), IMAGE, 3).check(specs)


def test_open_extents_are_left_to_the_first_picture() -> None:
    specs = [
        TensorSpec("boxes", (None, None, 4), "float32"),
        TensorSpec("classes", (None, None), "float32"),
        TensorSpec("scores", (None, None), "float32"),
        TensorSpec("count", (None,), "float32"),
    ]
    decoder = detection_decoder(TENSORS, IMAGE, 3)
    decoder.check(specs)
    assert len(decoder(outputs()).scores) == 2
    with pytest.raises(ModelError, match="another batch size"):
        decoder.check([TensorSpec("boxes", (2, 5, 4), "float32"), *specs[1:]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": np.full((1, 5, 4), np.nan, np.float32)}, "nan, not a finite number"),
        ({"scores": np.array([[np.nan, 1, 1, 1, 1]], np.float32)}, "nan, not a finite number"),
        ({"scores": np.array([[7.5, 1, 1, 1, 1]], np.float32)}, "the score 7.5, which is not within 0..1"),
        (
            {"classes": np.array([[3, 0, 0, 0, 0]], np.float32)},
            "class 3, but .* 3 labels are the classes 0 to 2",
        ),
        ({"classes": np.array([[0.5, 0, 0, 0, 0]], np.float32)}, "class 0.5"),
        ({"count": np.array([6], np.float32)}, "found 6 boxes, but has room for 5"),
        ({"count": np.array([np.nan], np.float32)}, "nan, not a finite number"),
    ],
)
def test_a_fault_is_an_error_and_never_no_box(changes: dict[str, Array], message: str) -> None:
    with pytest.raises(BackendError, match=message):
        detection_decoder(TENSORS, IMAGE, 3)(outputs(**changes))
