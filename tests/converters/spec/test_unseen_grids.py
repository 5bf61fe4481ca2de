"""Detectors that answer for each place: each read by a spec alone, against plain loops."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from slow_boxes import Found, assert_same_boxes, centered, slow_nms, slow_sigmoid, slow_softmax, spread_logits
from spec_decoding import decode_by_spec

from edge_sdk.contract.values import Array
from edge_sdk.errors import BackendError, ModelError

LABELS = 3
ROWS, COLUMNS, STRIDE = 6, 10, 16
HEIGHT, WIDTH = ROWS * STRIDE, COLUMNS * STRIDE
GRID = f"rows = {ROWS}, columns = {COLUMNS}"
MAP = '["batch", "values", "rows", "columns"]'
IN_A_ROW = '["batch", "candidates", "values"]'


def by_place(tensor: Array) -> Array:
    """Values last, rows and columns before."""
    places: Array = tensor[0].transpose(1, 2, 0)
    return places


@pytest.mark.parametrize("tail", ["anchors in the row", "anchors on an axis"])
def test_candidates_may_run_down_the_columns(tmp_path: Path, tail: str) -> None:
    anchors = [(20.0, 30.0), (50.0, 10.0)]
    raw = spread_logits((COLUMNS, ROWS, 2, 5 + LABELS), seed=5, boxes=4, low=-1, share=0.3)
    found = []
    for column, row, anchor in np.ndindex(COLUMNS, ROWS, 2):
        tx, ty, tw, th, objectness, *logits = raw[column, row, anchor].tolist()
        scores = [slow_sigmoid(objectness) * slow_sigmoid(one) for one in logits]
        x, y = (column + slow_sigmoid(tx)) * STRIDE, (row + slow_sigmoid(ty)) * STRIDE
        width, height = anchors[anchor]
        if max(scores) >= 0.1:
            box = centered(x, y, math.exp(tw) * width, math.exp(th) * height)
            found.append(Found(box, max(scores), scores.index(max(scores))))
    assert len(found) > 10
    in_row = tail == "anchors in the row"
    outputs: dict[str, Array] = {
        "out": raw.reshape(1, -1, 5 + LABELS) if in_row else raw.reshape(1, COLUMNS * ROWS, 2, -1)
    }
    axes = IN_A_ROW if in_row else '["batch", "candidates", "anchors", "values"]'
    detector = f"""
decoder = "candidate_boxes"
class_activation = "sigmoid"
objectness_activation = "sigmoid"
least_score = 0.1
coding = {{ coding = "offset", center_activation = "sigmoid", size_unit = "anchor" }}
suppression = {{ method = "none" }}
[[detector.scales]]
box = {{ axes = {axes} }}
objectness = {{ axes = {axes}, start = 4 }}
classes = {{ axes = {axes}, start = 5 }}
grids = [{{ {GRID}, anchors = [[20, 30], [50, 10]], order = "column_major" }}]
"""
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, found)


@pytest.mark.parametrize("with_objectness", [True, False])
def test_pp_yolo_has_a_third_factor_for_how_well_a_box_fits(tmp_path: Path, *, with_objectness: bool) -> None:
    """IoU-aware (Wu et al., 2020): a channel an anchor before all others, the IoU."""
    anchors = [(20.0, 30.0), (50.0, 10.0)]
    values = 5 + LABELS
    raw = np.random.default_rng(6).normal(0, 1.5, (1, 2 + 2 * values, ROWS, COLUMNS)).astype(np.float32)
    found = []
    for row, column, anchor in np.ndindex(ROWS, COLUMNS, 2):
        channels = by_place(raw)[row, column].tolist()
        quality = slow_sigmoid(channels[anchor]) ** 0.4
        tx, ty, tw, th, objectness, *logits = channels[2 + anchor * values : 2 + (anchor + 1) * values]
        factor = quality * (slow_sigmoid(objectness) ** 0.6 if with_objectness else 1)
        scores = [factor * slow_sigmoid(one) for one in logits]
        if max(scores) >= 0.25:
            x, y = (column + slow_sigmoid(tx)) * STRIDE, (row + slow_sigmoid(ty)) * STRIDE
            box = centered(x, y, math.exp(tw) * anchors[anchor][0], math.exp(th) * anchors[anchor][1])
            found.append(Found(box, max(scores), scores.index(max(scores))))
    assert 10 < len(found) < 2 * ROWS * COLUMNS
    scales = ""
    for anchor, (width, height) in enumerate(anchors):
        start = 2 + anchor * values
        scales += f"""
[[detector.scales]]
quality = {{ axes = {MAP}, start = {anchor} }}
box = {{ axes = {MAP}, start = {start} }}
classes = {{ axes = {MAP}, start = {start + 5}, unread = {(1 - anchor) * values} }}
grids = [{{ {GRID}, anchors = [[{width}, {height}]] }}]
"""
        if with_objectness:
            scales += f"objectness = {{ axes = {MAP}, start = {start + 4} }}\n"
    detector = f"""
decoder = "candidate_boxes"
class_activation = "sigmoid"
objectness_activation = "sigmoid"
objectness_power = 0.6
quality_activation = "sigmoid"
quality_power = 0.4
least_score = 0.25
coding = {{ coding = "offset", center_activation = "sigmoid", size_unit = "anchor" }}
suppression = {{ method = "none" }}
{scales}"""
    actual = decode_by_spec(tmp_path, detector, {"out": raw}, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, found)


def test_a_factor_that_is_no_score_is_an_error_and_not_no_box(tmp_path: Path) -> None:
    detector = f"""
decoder = "candidate_boxes"
coding = {{ coding = "direct" }}
[[detector.scales]]
box = {{ axes = {IN_A_ROW} }}
quality = {{ axes = {IN_A_ROW}, start = 4 }}
classes = {{ axes = {IN_A_ROW}, start = 5 }}
"""
    rows = np.array([[[0, 0, 9, 9, -3.5, 0.9, 0.1, 0.1]]], np.float32)
    with pytest.raises(BackendError, match=r"-3\.5 where a score from 0 to 1"):
        decode_by_spec(tmp_path, detector, {"out": rows}, labels=LABELS, width=WIDTH, height=HEIGHT)


def test_fomo_finds_cells_and_makes_neighbours_one(tmp_path: Path) -> None:
    """Edge Impulse: a softmax over nothing and the classes in each cell; a thing is the cells that touch."""
    nothing = [4.0, 0, 0]
    logits = np.tile(np.array(nothing, np.float32), (ROWS, COLUMNS, 1))
    things = {(1, 1): (0, 3, 0), (1, 2): (0, 5, 0), (2, 3): (0, 4, 0), (2, 2): (0, 0, 6), (5, 9): (0, 0, 3)}
    for (row, column), values in things.items():
        logits[row, column] = values
    shares = np.array([[slow_softmax(cell) for cell in line] for line in logits.tolist()], np.float32)
    detector = f"""
decoder = "candidate_boxes"
background = "first"
least_score = 0.5
coding = {{ coding = "cell" }}
suppression = {{ method = "merge" }}
[[detector.scales]]
classes = {{ axes = ["batch", "rows", "columns", "values"] }}
grids = [{{ {GRID} }}]
"""
    best = [slow_softmax(one)[1] for one in ((0, 5, 0), (0, 3, 0))]
    other = slow_softmax((0, 0, 6))[2]
    expected = [
        Found((16, 16, 64, 48), best[0], 0),  # three cells, one by its edge and one by its corner
        Found((32, 32, 48, 48), other, 1),
        Found((144, 80, 160, 96), best[1], 1),
    ]
    actual = decode_by_spec(tmp_path, detector, {"out": shares[None]}, labels=2, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, expected)
    raw = f'class_activation = "softmax"\n{detector}'
    again = decode_by_spec(tmp_path, raw, {"out": logits[None]}, labels=2, width=WIDTH, height=HEIGHT)
    assert_same_boxes(again, expected)


def test_mtcnn_moves_the_corners_of_its_window(tmp_path: Path) -> None:
    """P-Net (Zhang et al., 2016): windows of 12 pixels, 2 apart; nothing or a face; y before x here."""
    side, cells = 48, 19
    moves = np.random.default_rng(9).normal(0, 0.1, (1, cells, cells, 4)).astype(np.float32)
    faces = np.random.default_rng(10).uniform(0, 1, (1, cells, cells)).astype(np.float32)
    shares = np.stack([1 - faces, faces], axis=-1)
    found = []
    for row, column in np.ndindex(cells, cells):
        dy1, dx1, dy2, dx2 = moves[0, row, column].tolist()
        x, y = 2 * column, 2 * row
        box = (x + 12 * dx1, y + 12 * dy1, x + 12 + 12 * dx2, y + 12 + 12 * dy2)
        if faces[0, row, column] >= 0.5:
            found.append(Found(box, float(faces[0, row, column]), 0))
    axes = '["batch", "rows", "columns", "values"]'
    detector = f"""
decoder = "candidate_boxes"
background = "first"
least_score = 0.5
coding = {{ coding = "corner_offset", order = "yx", center_offset = 3 }}
suppression = {{ iou_threshold = 0.5 }}
[[detector.scales]]
box = {{ tensor = "reg", axes = {axes} }}
classes = {{ tensor = "prob", axes = {axes} }}
grids = [{{ rows = {cells}, columns = {cells}, stride = 2, anchors = [[12, 12]] }}]
"""
    outputs = {"reg": moves, "prob": shares}
    actual = decode_by_spec(tmp_path, detector, outputs, labels=1, width=side, height=side)
    assert_same_boxes(actual, slow_nms(found, 0.5))


def test_ssdlite_of_torchvision_reads_its_priors_from_a_file(tmp_path: Path) -> None:
    """Weights 10, 10, 5, 5; softmax with nothing first; several classes a box."""
    rng = np.random.default_rng(11)
    priors = np.concatenate([rng.uniform(0.1, 0.9, (90, 2)), rng.uniform(0.1, 0.5, (90, 2))], axis=1)
    (tmp_path / "priors.csv").write_text("\n".join(",".join(map(str, row)) for row in priors.tolist()))
    deltas = rng.normal(0, 1, (1, 90, 4)).astype(np.float32)
    logits = rng.normal(0, 2, (1, 90, LABELS + 1)).astype(np.float32)
    found = []
    for prior, delta, row in zip(priors.tolist(), deltas[0].tolist(), logits[0].tolist(), strict=True):
        width, height = prior[2] * WIDTH, prior[3] * HEIGHT
        x, y = prior[0] * WIDTH + delta[0] / 10 * width, prior[1] * HEIGHT + delta[1] / 10 * height
        box = centered(x, y, width * math.exp(delta[2] / 5), height * math.exp(delta[3] / 5))
        scores = slow_softmax(row)[1:]
        found += [Found(box, score, label) for label, score in enumerate(scores) if score >= 0.3]
    detector = f"""
decoder = "candidate_boxes"
class_activation = "softmax"
background = "first"
several_classes = true
least_score = 0.3
suppression = {{ iou_threshold = 0.55 }}
[detector.coding]
coding = "offset"
center_unit = "anchor"
center_scale = 0.1
size_unit = "anchor"
size_factor = 0.2
[[detector.scales]]
box = {{ tensor = "bbox_regression", axes = {IN_A_ROW} }}
classes = {{ tensor = "cls_logits", axes = {IN_A_ROW} }}
priors_file = "priors.csv"
"""
    outputs = {"bbox_regression": deltas, "cls_logits": logits}
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    expected = slow_nms(found, 0.55)
    assert len(expected) > 20
    assert_same_boxes(actual, expected)


@pytest.mark.parametrize("layout", ["values, then anchors", "a flat row"])
def test_caffe_mixes_values_with_anchors_or_candidates(tmp_path: Path, layout: str) -> None:
    """Proposals: nothing for both anchors, then something for both. SSD: one row of everything."""
    raw = np.random.default_rng(12).normal(0, 1, (ROWS, COLUMNS, 2, 4)).astype(np.float32)
    scores = np.random.default_rng(13).normal(0, 2, (ROWS, COLUMNS, 2, 1 + LABELS)).astype(np.float32)
    anchors = [(20.0, 30.0), (50.0, 10.0)]
    found = []
    for row, column, anchor in np.ndindex(ROWS, COLUMNS, 2):
        tx, ty, tw, th = raw[row, column, anchor].tolist()
        shares = slow_softmax(scores[row, column, anchor].tolist())[1:]
        width, height = anchors[anchor]
        x, y = (column + 0.5) * STRIDE + tx * width, (row + 0.5) * STRIDE + ty * height
        if max(shares) >= 0.4:
            box = centered(x, y, math.exp(tw) * width, math.exp(th) * height)
            found.append(Found(box, max(shares), shares.index(max(shares))))
    assert len(found) > 20
    flat = layout == "a flat row"
    outputs: dict[str, Array] = {
        name: tensor.reshape(1, -1) if flat else tensor.transpose(3, 2, 0, 1).reshape(1, -1, ROWS, COLUMNS)
        for name, tensor in (("loc", raw), ("conf", scores))
    }
    axes = '["batch", "candidates_values"]' if flat else '["batch", "values_anchors", "rows", "columns"]'
    detector = f"""
decoder = "candidate_boxes"
class_activation = "softmax"
background = "first"
least_score = 0.4
coding = {{ coding = "offset", center_offset = 0.5, center_unit = "anchor", size_unit = "anchor" }}
suppression = {{ method = "none" }}
[[detector.scales]]
box = {{ tensor = "loc", axes = {axes} }}
classes = {{ tensor = "conf", axes = {axes} }}
grids = [{{ {GRID}, anchors = [[20, 30], [50, 10]] }}]
"""
    actual = decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
    assert_same_boxes(actual, found)
    outputs["loc"] = np.delete(outputs["loc"], 0, axis=1)
    with pytest.raises(ModelError, match="box of scale 0 stands in"):
        decode_by_spec(tmp_path, detector, outputs, labels=LABELS, width=WIDTH, height=HEIGHT)
