"""Detectors that give boxes as they are, or finished: each read by a spec alone, against plain loops."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from head_decoding import tensor_specs
from slow_boxes import Corners, Found, assert_same_boxes, centered, slow_nms, slow_sigmoid, slow_softmax
from spec_decoding import decode_by_spec

from converters.spec.spec_file import load_spec
from edge_sdk.contract.values import Array
from edge_sdk.decode.detections import detection_decoder
from edge_sdk.errors import BackendError, ModelError

WIDTH, HEIGHT, LABELS = 200, 100, 3
ROWS = '{ axes = ["batch", "candidates", "values"] }'
QUERIES = f"""
[[detector.scales]]
box = {{ tensor = "boxes", axes = {ROWS[9:-2]} }}
classes = {{ tensor = "classes", axes = {ROWS[9:-2]} }}
"""


def normal(*shape: int, seed: int, spread: float = 1.5) -> Array:
    return np.random.default_rng(seed).normal(0, spread, shape).astype(np.float32)


def test_rt_detr_ends_in_logits_of_boxes_and_classes(tmp_path: Path) -> None:
    boxes, classes = normal(1, 60, 4, seed=1), normal(1, 60, LABELS, seed=2)
    found = []
    for box, logits in zip(boxes[0].tolist(), classes[0].tolist(), strict=True):
        x, y, w, h = (slow_sigmoid(number) for number in box)
        corners = centered(x * WIDTH, y * HEIGHT, w * WIDTH, h * HEIGHT)
        scores = [slow_sigmoid(one) for one in logits]
        found += [Found(corners, score, label) for label, score in enumerate(scores) if score >= 0.3]
    assert len(found) > 50
    detector = f"""
decoder = "candidate_boxes"
class_activation = "sigmoid"
several_classes = true
least_score = 0.3
coding = {{ coding = "direct", form = "center_size", units = "shares", activation = "sigmoid" }}
suppression = {{ method = "none" }}
{QUERIES}"""
    outputs = {"boxes": boxes, "classes": classes}
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, found)


def test_detr_with_its_box_logits_has_a_class_for_nothing_last(tmp_path: Path) -> None:
    boxes, classes = normal(1, 60, 4, seed=3), normal(1, 60, LABELS + 1, seed=4)
    found = []
    for box, logits in zip(boxes[0].tolist(), classes[0].tolist(), strict=True):
        x, y, w, h = (slow_sigmoid(number) for number in box)
        scores = slow_softmax(logits)[:-1]
        if max(scores) >= 0.3:
            corners = centered(x * WIDTH, y * HEIGHT, w * WIDTH, h * HEIGHT)
            found.append(Found(corners, max(scores), scores.index(max(scores))))
    assert 10 < len(found) < 60
    detector = """
head = "detr"
least_score = 0.3
coding = { activation = "sigmoid" }
"""
    outputs = {"boxes": boxes, "classes": classes}
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, found)


def test_the_example_of_the_documentation_is_read_as_it_stands(project: Path, tmp_path: Path) -> None:
    page = (project / "docs" / "explanation" / "detectors.md").read_text("utf-8")
    path = tmp_path / "pests.toml"
    path.write_text(page.partition("```toml\n")[2].partition("```")[0])
    spec = load_spec(path)
    boxes, classes = normal(1, 300, 4, seed=5), normal(1, 300, 2, seed=6)
    outputs = {"logits": classes, "boxes": boxes}
    output = spec.detector.complete(spec.image, len(spec.labels), tensor_specs(outputs))
    best = int(classes[0].max(axis=1).argmax())
    x, y, w, h = (640 * slow_sigmoid(number) for number in boxes[0, best].tolist())
    found = detection_decoder(output, spec.image, len(spec.labels))(outputs)
    np.testing.assert_allclose(found.boxes[0], centered(x, y, w, h), atol=1e-3)
    assert found.labels[0] == classes[0, best].argmax()


def from_minus_one(x1: float, y1: float, x2: float, y2: float) -> Corners:
    return ((x1 + 1) / 2 * WIDTH, (y1 + 1) / 2 * HEIGHT, (x2 + 1) / 2 * WIDTH, (y2 + 1) / 2 * HEIGHT)


def middle_from_minus_one(y: float, x: float, h: float, w: float) -> Corners:
    return centered((x + 1) / 2 * WIDTH, (y + 1) / 2 * HEIGHT, w / 2 * WIDTH, h / 2 * HEIGHT)


def hyperbolic(x: float, y: float, w: float, h: float) -> Corners:
    left, top = (math.tanh(x) + 1) / 2 * WIDTH, (math.tanh(y) + 1) / 2 * HEIGHT
    return (left, top, left + math.tanh(w) / 2 * WIDTH, top + math.tanh(h) / 2 * HEIGHT)


def thousandths(y1: float, x1: float, y2: float, x2: float) -> Corners:
    return (x1 / 1000 * WIDTH, y1 / 1000 * HEIGHT, x2 / 1000 * WIDTH, y2 / 1000 * HEIGHT)


def of_another_picture(x1: float, y1: float, x2: float, y2: float) -> Corners:
    return (x1 / 640 * WIDTH, y1 / 480 * HEIGHT, x2 / 640 * WIDTH, y2 / 480 * HEIGHT)


def x_before_y(x1: float, x2: float, y1: float, y2: float) -> Corners:
    return (x1, y1, x2, y2)


def middles_by_direction(y: float, h: float, x: float, w: float) -> Corners:
    return centered(x, y, w, h)


def of_a_heatmap(x1: float, y1: float, w: float, h: float) -> Corners:
    return (4 * x1, 4 * y1, 4 * (x1 + w), 4 * (y1 + h))


@pytest.mark.parametrize(
    ("coding", "formula", "box"),
    [
        ('units = "shares", scale = 0.5, offset = 0.5', from_minus_one, (-0.5, -0.2, 0.1, 0.9)),
        (
            'form = "center_size", order = "yx", units = "shares", scale = 0.5, offset = 0.5',
            middle_from_minus_one,
            (-0.1, 0.3, 0.4, 0.6),
        ),
        (
            'form = "corner_size", units = "shares", activation = "tanh", scale = 0.5, offset = 0.5',
            hyperbolic,
            (-0.7, -0.4, 0.9, 1.3),
        ),
        ('order = "yx", units = "shares", scale = 0.001', thousandths, (120, 250, 700, 810)),
        (
            f'units = "shares", scale = {1 / 640}, scale_y = {1 / 480}',
            of_another_picture,
            (64, 24, 320, 240),
        ),
        ('order = "xx"', x_before_y, (5, 40, 30, 90)),
        ('order = "yy", form = "center_size"', middles_by_direction, (50, 20, 100, 30)),
        ('form = "corner_size", scale = 4', of_a_heatmap, (5, 3, 11, 8)),
    ],
)
def test_boxes_in_other_units_are_what_the_formula_says(
    tmp_path: Path, coding: str, formula: object, box: tuple[float, ...]
) -> None:
    assert callable(formula)
    detector = f"""
decoder = "candidate_boxes"
coding = {{ coding = "direct", {coding} }}
[[detector.scales]]
box = {ROWS}
classes = {{ axes = {ROWS[9:-2]}, start = 4 }}
"""
    outputs = {"output": np.array([[[*box, 0.1, 0.9, 0.2]]], np.float32)}
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, [Found(formula(*box), 0.9, 1)])


@pytest.mark.parametrize(
    ("order", "columns"),
    [
        ([0, 1, 2, 3, 4, 5, 6], "box_column = 1, class_column = 5, score_column = 6"),  # YOLOv7's export
        ([0, 5, 6, 1, 2, 3, 4], "class_column = 1, score_column = 2, box_column = 3"),  # Caffe, OpenVINO
    ],
)
def test_rows_that_begin_with_the_picture_end_at_minus_1(
    tmp_path: Path, order: list[int], columns: str
) -> None:
    rows = np.array(
        [
            (0, 20, 20, 60, 40, 2, 0.9),
            (0, 0, 0, 200, 100, 0, 0.6),
            (-1, 1, 1, 9, 9, 1, 0.8),  # what stands behind the end was never cleared
            (0, 2, 2, 8, 8, 1, 0.7),
        ],
        np.float32,
    )
    # `order` names what stands where in a row: picture, box, class, score.
    outputs = {"output": rows[:, order][None, None]}
    detector = 'decoder = "detection_rows"\npicture_column = 0\n' + columns.replace(", ", "\n")
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, [Found((20, 20, 60, 40), 0.9, 2), Found((0, 0, 200, 100), 0.6, 0)])


def test_a_row_of_another_picture_is_an_error(tmp_path: Path) -> None:
    outputs = {"output": np.array([[0, 1, 1, 9, 9, 0.9, 2]], np.float32)}
    detector = (
        'decoder = "detection_rows"\npicture_column = 6\nbox_column = 1\nscore_column = 5\nclass_column = 0'
    )
    with pytest.raises(BackendError, match="a box of picture 2") as raised:
        decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert "picture_column" in str(raised.value.hint)


def test_numbers_of_a_row_that_nothing_describes_are_refused_unless_said_to_be_unread(tmp_path: Path) -> None:
    outputs = {"output": np.array([[[0, 10, 10, 50, 50, 2, 0.9]]], np.float32)}
    with pytest.raises(
        ModelError, match="a row of the model's output has 7 numbers, but 6 are described"
    ) as no:
        decode_by_spec(
            tmp_path, 'decoder = "detection_rows"', outputs, labels=LABELS, width=WIDTH, height=HEIGHT
        )
    assert "box_column" in str(no.value.hint)
    assert "unread = 1" in str(no.value.hint)
    key_points = {"output": np.array([[[10, 10, 50, 50, 0.9, 2, 7, 7, 7]]], np.float32)}
    detector = 'decoder = "detection_rows"\nunread = 3'
    actual = decode_by_spec(tmp_path, detector, key_points, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, [Found((10, 10, 50, 50), 0.9, 2)])
    with pytest.raises(ModelError, match="6 and 3 unread are described"):
        decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)


def test_numbers_of_a_box_that_nothing_describes_are_refused(tmp_path: Path) -> None:
    outputs = {
        "boxes": np.array([[0, 10, 10, 50, 50]], np.float32),  # begins with the picture
        "scores": np.array([0.9], np.float32),
        "classes": np.array([1], np.float32),
    }
    detector = 'decoder = "detection_tensors"\nboxes = "boxes"\nscores = "scores"\nclasses = "classes"'
    with pytest.raises(ModelError, match="'boxes' has 5 numbers, but 4 are described"):
        decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)


@pytest.mark.parametrize("form", ["rows", "tensors"])
def test_a_detector_of_one_thing_need_not_say_what_it_found(tmp_path: Path, form: str) -> None:
    """Face detectors give five numbers a row."""
    outputs = {"faces": np.array([[[10, 10, 50, 50, 0.9], [20, 30, 40, 90, 0.7]]], np.float32)}
    detector = {
        "rows": 'decoder = "detection_rows"\none_class = true',
        "tensors": 'decoder = "detection_tensors"\nboxes = "faces"\nscores = "faces"\n'
        'coding = { coding = "direct" }',
    }[form]
    actual = decode_by_spec(tmp_path, detector, outputs, labels=1, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, [Found((10, 10, 50, 50), 0.9, 0), Found((20, 30, 40, 90), 0.7, 0)])
    with pytest.raises(ModelError, match="which of the 3 labels"):
        decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)


def test_torchvision_gives_labels_from_1_and_no_count(tmp_path: Path) -> None:
    outputs: dict[str, Array] = {
        "boxes": np.array([[10, 10, 50, 50], [20, 30, 40, 90]], np.float32),
        "labels": np.array([3, 1], np.int64),
        "scores": np.array([0.9, 0.02], np.float32),
    }
    detector = """
decoder = "detection_tensors"
boxes = "boxes"
classes = "labels"
scores = "scores"
first_class = 1
coding = { coding = "direct" }
"""
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, [Found((10, 10, 50, 50), 0.9, 2)])


def test_boxes_with_the_number_of_their_best_class_are_suppressed_here(tmp_path: Path) -> None:
    """Exports with the ArgMax inside: every candidate's box, best score and its class, none sorted out."""
    rng = np.random.default_rng(5)
    corners = rng.uniform(0, 90, (80, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 60, (80, 2))], axis=1).astype(np.float32)
    scores, classes = rng.uniform(0, 1, 80).astype(np.float32), rng.integers(0, LABELS, 80)
    found = [
        Found((x1, y1, x2, y2), score, label)
        for (x1, y1, x2, y2), score, label in zip(
            boxes.tolist(), scores.tolist(), classes.tolist(), strict=True
        )
        if score >= 0.05
    ]
    expected = slow_nms(found, 0.5)
    assert 5 < len(expected) < len(found)
    detector = """
decoder = "detection_tensors"
boxes = "boxes"
classes = "class_idx"
scores = "scores"
coding = { coding = "direct" }
suppression = { method = "hard", iou_threshold = 0.5 }
"""
    outputs: dict[str, Array] = {
        "boxes": boxes[None],
        "scores": scores[None],
        "class_idx": classes[None].astype(np.uint8),
    }
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, expected)
