"""YOLO heads against their formulas, written as loops."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from head_decoding import decode_by_name
from slow_boxes import (
    Found,
    assert_same_boxes,
    centered,
    slow_nms,
    slow_sigmoid,
    slow_softmax,
    spread_logits,
)

from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array

IMAGE = ImageInput(width=416, height=320)
LABELS = 6
LEAST, IOU = 0.05, 0.45
GRIDS = ((40, 52), (20, 26), (10, 13))  # strides 8, 16, 32
ANCHORS = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)


def best_class(scores: Sequence[float]) -> tuple[int, float]:
    return max(enumerate(scores), key=lambda pair: pair[1])


def raw_scales(seed: int) -> list[Array]:
    """``[1, rows, columns, anchors, 5 + labels]`` for each scale, from fine to coarse."""
    return [spread_logits((1, *grid, 3, 5 + LABELS), seed + n, boxes=4) for n, grid in enumerate(GRIDS)]


def yolov3_by_hand(scales: list[Array]) -> list[Found]:
    found = []
    for raw, (rows, columns), anchors in zip(scales, GRIDS, ANCHORS, strict=True):
        for row, column, anchor in np.ndindex(rows, columns, 3):
            tx, ty, tw, th, objectness, *classes = raw[0, row, column, anchor].tolist()
            label, score = best_class([slow_sigmoid(objectness) * slow_sigmoid(one) for one in classes])
            if score >= LEAST:
                x = (column + slow_sigmoid(tx)) * 416 / columns
                y = (row + slow_sigmoid(ty)) * 320 / rows
                width = math.exp(tw) * anchors[anchor][0]
                height = math.exp(th) * anchors[anchor][1]
                found.append(Found(centered(x, y, width, height), score, label))
    return slow_nms(found, IOU)


def yolov5_candidate(
    raw: Array, row: int, column: int, stride: float, anchor: tuple[int, int]
) -> list[float]:
    """One decoded row ``x, y, w, h, objectness, classes``, as Ultralytics' ``Detect.forward`` has it."""
    y = [slow_sigmoid(value) for value in raw.tolist()]
    x_center, y_center = (y[0] * 2 - 0.5 + column) * stride, (y[1] * 2 - 0.5 + row) * stride
    return [x_center, y_center, (y[2] * 2) ** 2 * anchor[0], (y[3] * 2) ** 2 * anchor[1], *y[4:]]


def yolov5_by_hand(scales: list[Array]) -> list[list[float]]:
    """All candidates, anchors outermost in each scale, as the exporter flattens them."""
    return [
        yolov5_candidate(raw[0, row, column, anchor], row, column, 320 / grid[0], anchors[anchor])
        for raw, grid, anchors in zip(scales, GRIDS, ANCHORS, strict=True)
        for anchor in range(3)
        for row in range(grid[0])
        for column in range(grid[1])
    ]


def found_in_rows(rows: list[list[float]], least: float = LEAST) -> list[Found]:
    found = []
    for x, y, width, height, objectness, *classes in rows:
        label, score = best_class([objectness * one for one in classes])
        if score >= least:
            found.append(Found(centered(x, y, width, height), score, label))
    return slow_nms(found, IOU)


FORMS = {
    "anchors in front": lambda raw: raw.transpose(0, 3, 1, 2, 4),
    "anchors in front, values second": lambda raw: raw.transpose(0, 3, 4, 1, 2),
    "anchors last": lambda raw: raw,
    "channels first": lambda raw: raw.transpose(0, 3, 4, 1, 2).reshape(1, -1, *raw.shape[1:3]),
    "channels last": lambda raw: raw.reshape(*raw.shape[:3], -1),
}


@pytest.mark.parametrize("form", FORMS)
def test_yolov3_raw_scales_in_any_order_of_axes_and_outputs(form: str) -> None:
    scales = raw_scales(seed=3)
    outputs = {f"scale{n}": FORMS[form](raw) for n, raw in enumerate(scales)}
    expected = yolov3_by_hand(scales)
    assert len(expected) > 20
    assert_same_boxes(decode_by_name("yolov3", IMAGE, LABELS, outputs), expected)
    coarse_first = dict(reversed(outputs.items()))
    assert_same_boxes(decode_by_name("yolov3", IMAGE, LABELS, coarse_first), expected)


@pytest.mark.parametrize("form", ["anchors in front", "channels first"])
def test_yolov5_raw_scales(form: str) -> None:
    scales = raw_scales(seed=5)
    outputs = {f"scale{n}": FORMS[form](raw) for n, raw in enumerate(scales)}
    expected = found_in_rows(yolov5_by_hand(scales))
    assert len(expected) > 20
    assert_same_boxes(decode_by_name("yolov5", IMAGE, LABELS, outputs), expected)


def test_yolov5_decoded_by_its_exporter() -> None:
    rows = yolov5_by_hand(raw_scales(seed=6))
    outputs = {"output0": np.array([rows], np.float32)}
    assert_same_boxes(decode_by_name("yolov5", IMAGE, LABELS, outputs), found_in_rows(rows))


def test_yolov5_of_640_pixels_has_25200_candidates_of_80_classes() -> None:
    image = ImageInput(width=640, height=640)
    rows = np.zeros((1, 25200, 85), np.float32)
    rows[0, 20_000, :6] = (100, 200, 40, 60, 0.9, 0.8)
    found = decode_by_name("yolov5", image, 80, {"output0": rows})
    assert found.labels.tolist() == [0]
    np.testing.assert_allclose(found.boxes, [[80, 170, 120, 230]])
    np.testing.assert_allclose(found.scores, [0.72], rtol=1e-6)


def yolov8_by_hand(raw: Array, least: float = LEAST) -> list[list[float]]:
    """Rows ``x, y, w, h, classes``: distances are means of softmaxes over 16 bins, in cells."""
    rows = []
    _, height, width, _ = raw.shape
    stride = 320 / height
    for row, column in np.ndindex(height, width):
        values = raw[0, row, column].tolist()
        classes = [slow_sigmoid(one) for one in values[64:]]
        if max(classes) < least:
            continue
        left, top, right, bottom = (
            sum(bin_ * share for bin_, share in enumerate(slow_softmax(values[16 * side : 16 * side + 16])))
            for side in range(4)
        )
        x1, y1 = (column + 0.5 - left) * stride, (row + 0.5 - top) * stride
        x2, y2 = (column + 0.5 + right) * stride, (row + 0.5 + bottom) * stride
        rows.append([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, *classes])
    return rows


def yolov8_scales(seed: int) -> list[Array]:
    return [spread_logits((1, *grid, 64 + LABELS), seed + n, boxes=64) for n, grid in enumerate(GRIDS)]


def found_without_objectness(rows: list[list[float]]) -> list[Found]:
    found = []
    for x, y, width, height, *classes in rows:
        label, score = best_class(classes)
        if score >= LEAST:
            found.append(Found(centered(x, y, width, height), score, label))
    return slow_nms(found, IOU)


@pytest.mark.parametrize("head", ["yolov8", "yolo11"])
def test_yolov8_raw_distances_in_bins(head: str) -> None:
    scales = yolov8_scales(seed=8)
    outputs = {f"o{n}": np.ascontiguousarray(raw.transpose(0, 3, 1, 2)) for n, raw in enumerate(scales)}
    expected = found_without_objectness([row for raw in scales for row in yolov8_by_hand(raw)])
    assert len(expected) > 20
    assert_same_boxes(decode_by_name(head, IMAGE, LABELS, outputs), expected)


@pytest.mark.parametrize("turned", [True, False])
def test_yolov8_decoded_by_its_exporter(*, turned: bool) -> None:
    rows = [row for raw in yolov8_scales(seed=9) for row in yolov8_by_hand(raw, least=0.0)]
    assert len(rows) == 40 * 52 + 20 * 26 + 10 * 13
    table = np.array([rows], np.float32)
    outputs = {"output0": table.transpose(0, 2, 1) if turned else table}
    assert_same_boxes(decode_by_name("yolov8", IMAGE, LABELS, outputs), found_without_objectness(rows))


def test_yolov8_of_640_pixels_gives_84_values_of_8400_candidates() -> None:
    output = np.zeros((1, 84, 8400), np.float32)
    output[0, :4, 77], output[0, 4 + 79, 77] = (320, 320, 64, 32), 0.6
    found = decode_by_name("yolov8", ImageInput(width=640, height=640), 80, {"output0": output})
    np.testing.assert_allclose(found.boxes, [[288, 304, 352, 336]])
    assert found.labels.tolist() == [79]


def test_yolox_in_one_row_with_strides_of_8_16_and_32() -> None:
    cells = [(row, column, 320 / grid[0]) for grid in GRIDS for row, column in np.ndindex(*grid)]
    raw = spread_logits((1, len(cells), 5 + LABELS), seed=10, boxes=4)
    raw[..., 4:] = 1 / (1 + np.exp(-raw[..., 4:]))
    rows = []
    for (row, column, stride), values in zip(cells, raw[0].tolist(), strict=True):
        x, y = (column + values[0]) * stride, (row + values[1]) * stride
        rows.append([x, y, math.exp(values[2]) * stride, math.exp(values[3]) * stride, *values[4:]])
    expected = found_in_rows(rows)
    assert len(expected) > 20
    assert_same_boxes(decode_by_name("yolox", IMAGE, LABELS, {"output": raw}), expected)


@pytest.mark.parametrize("head", ["yolov10", "yolo_nms"])
def test_yolo_with_its_suppression_inside(head: str) -> None:
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, :3] = [(10, 20, 110, 220, 0.9, 5), (12, 22, 112, 222, 0.8, 5), (0, 0, 9, 9, 0.01, 2)]
    found = decode_by_name(head, IMAGE, LABELS, {"output0": rows})
    np.testing.assert_array_equal(found.boxes, rows[0, :2, :4])
    assert found.labels.tolist() == [5, 5]
    np.testing.assert_array_equal(found.scores, rows[0, :2, 4])
