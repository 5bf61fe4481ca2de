"""Detectors that answer with distances to the edges: each read by a spec alone, against plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from slow_boxes import Found, assert_same_boxes, slow_nms, slow_sigmoid, slow_softmax, spread_logits
from spec_decoding import decode_by_spec

from edge_sdk.contract.values import Array
from edge_sdk.errors import ModelError

LABELS = 3
ROWS, COLUMNS, STRIDE = 6, 10, 16
HEIGHT, WIDTH = ROWS * STRIDE, COLUMNS * STRIDE
GRID = f"rows = {ROWS}, columns = {COLUMNS}"
MAP = '["batch", "values", "rows", "columns"]'
IN_A_ROW = '["batch", "candidates", "values"]'


def numbers(*shape: int, seed: int) -> Array:
    return np.random.default_rng(seed).uniform(0.2, 2.0, shape).astype(np.float32)


def by_place(tensor: Array) -> Array:
    """Values last, rows and columns before."""
    places: Array = tensor[0].transpose(1, 2, 0)
    return places


ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "none": lambda x: x,
    "exp": math.exp,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": slow_sigmoid,
    "softplus": lambda x: math.log(1 + math.exp(x)),
}


@pytest.mark.parametrize("order", ["ltrb", "tlbr", "tblr", "lrtb"])
@pytest.mark.parametrize(
    ("unit", "activation", "scale", "unit_x", "unit_y"),
    [
        ("cell", "exp", 1.0, STRIDE, STRIDE),  # RTMDet
        ("pixel", "relu", 35.0, 1, 1),  # TTFNet, DetectNet
        ("input", "sigmoid", 0.5, WIDTH, HEIGHT),
        ("anchor", "none", 4.0, 12, 20),  # FSAF
        ("cell", "softplus", 2.0, STRIDE, STRIDE),
    ],
)
def test_distances_in_any_order_unit_and_size(
    tmp_path: Path, order: str, unit: str, activation: str, scale: float, unit_x: float, unit_y: float
) -> None:
    distances = np.random.default_rng(1).normal(0.5, 0.5, (1, 4, ROWS, COLUMNS)).astype(np.float32)
    classes = spread_logits((1, ROWS, COLUMNS, LABELS), seed=2, share=0.3, low=-3).transpose(0, 3, 1, 2)
    found = []
    for row, column in np.ndindex(ROWS, COLUMNS):
        x, y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
        edge = dict(zip(order, by_place(distances)[row, column].tolist(), strict=True))
        left, top, right, bottom = (scale * ACTIVATIONS[activation](edge[side]) for side in "ltrb")
        box = (x - left * unit_x, y - top * unit_y, x + right * unit_x, y + bottom * unit_y)
        scores = [slow_sigmoid(one) for one in by_place(classes)[row, column].tolist()]
        if max(scores) >= 0.3 and box[2] > box[0] and box[3] > box[1]:
            found.append(Found(box, max(scores), scores.index(max(scores))))
    assert len(found) > 5
    detector = f"""
decoder = "candidate_boxes"
class_activation = "sigmoid"
least_score = 0.3
suppression = {{ method = "none" }}
[detector.coding]
coding = "distance"
order = "{order}"
unit = "{unit}"
activation = "{activation}"
scale = {scale}
[[detector.scales]]
box = {{ tensor = "reg", axes = {MAP} }}
classes = {{ tensor = "cls", axes = {MAP} }}
grids = [{{ {GRID}{", anchors = [[12, 20]]" if unit == "anchor" else ""} }}]
"""
    outputs: dict[str, Array] = {"reg": distances, "cls": classes}
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, found)


def test_distances_may_be_distributions_in_another_order(tmp_path: Path) -> None:
    distances = np.random.default_rng(3).normal(0, 2, (1, 4 * 5, ROWS, COLUMNS)).astype(np.float32)
    classes = numbers(1, LABELS, ROWS, COLUMNS, seed=4) / 2
    found = []
    for row, column in np.ndindex(ROWS, COLUMNS):
        logits = by_place(distances)[row, column].reshape(4, 5)
        top, left, bottom, right = (
            STRIDE * sum(n * share for n, share in enumerate(slow_softmax(one.tolist()))) for one in logits
        )
        x, y = column * STRIDE, row * STRIDE
        scores = by_place(classes)[row, column].tolist()
        box = (x - left, y - top, x + right, y + bottom)
        found.append(Found(box, max(scores), scores.index(max(scores))))
    detector = f"""
decoder = "candidate_boxes"
coding = {{ coding = "distance", order = "tlbr", bins = 5, center_offset = 0 }}
suppression = {{ method = "none" }}
[[detector.scales]]
box = {{ tensor = "reg", axes = {MAP} }}
classes = {{ tensor = "cls", axes = {MAP} }}
grids = [{{ {GRID} }}]
"""
    outputs: dict[str, Array] = {"reg": distances, "cls": classes}
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, found)


def test_detectnet_has_a_box_for_each_class(tmp_path: Path) -> None:
    """NVIDIA's DetectNet v2: coverage by class, four distances by class in steps of 35 pixels."""
    coverage = numbers(1, LABELS, ROWS, COLUMNS, seed=7) / 2
    distances = numbers(1, 4 * LABELS, ROWS, COLUMNS, seed=8)
    found = []
    for row, column, label in np.ndindex(ROWS, COLUMNS, LABELS):
        score = float(coverage[0, label, row, column])
        x, y = column * STRIDE + 0.5, row * STRIDE + 0.5
        left, top, right, bottom = (35 * distances[0, 4 * label : 4 * label + 4, row, column]).tolist()
        if score >= 0.5:
            found.append(Found((x - left, y - top, x + right, y + bottom), score, label))
    scales = "".join(
        f"""
[[detector.scales]]
label = {label}
classes = {{ tensor = "cov", axes = {MAP}, start = {label}, unread = {LABELS - 1 - label} }}
box = {{ tensor = "bbox", axes = {MAP}, start = {4 * label} }}
grids = [{{ {GRID} }}]
"""
        for label in range(LABELS)
    )
    detector = f"""
decoder = "candidate_boxes"
least_score = 0.5
coding = {{ coding = "distance", unit = "pixel", scale = 35, center_offset = {0.5 / STRIDE} }}
{scales}"""
    outputs: dict[str, Array] = {"cov": coverage, "bbox": distances}
    expected = slow_nms(found, 0.45)
    assert {one.label for one in expected} == {0, 1, 2}
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, expected)
    with pytest.raises(ModelError, match="scales are of labels 0, 1, 2, but it has 4 labels"):
        decode_by_spec(tmp_path, detector, outputs, labels=4, width=WIDTH, height=HEIGHT)
