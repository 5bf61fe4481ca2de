"""Heads without a name here: each described in full, and held to its paper's formula."""

from __future__ import annotations

import math

import numpy as np
from slow_boxes import Found, assert_same_boxes, centered, slow_nms, slow_sigmoid, slow_softmax, spread_logits

from edge_sdk.contract.detector import (
    Axis,
    CandidateBoxes,
    DistanceCoding,
    Grid,
    OffsetCoding,
    Part,
    Scale,
    Suppression,
)
from edge_sdk.contract.detector_checks import check_detector
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.decode.detections import RawDetections, detection_decoder

NCHW: list[Axis] = ["batch", "values", "rows", "columns"]
ROWS: list[Axis] = ["batch", "candidates", "values"]


def decode(
    output: CandidateBoxes, image: ImageInput, n_labels: int, outputs: dict[str, Array]
) -> RawDetections:
    check_detector(output, image)
    decoder = detection_decoder(output, image, n_labels)
    decoder.check([TensorSpec(name, value.shape, "float32") for name, value in outputs.items()])
    return decoder(outputs)


def test_centernet_takes_the_peaks_of_its_heatmap() -> None:
    """Zhou et al., 2019: heatmap, sizes and offsets in cells of 4 pixels; a 3 x 3 maximum, no suppression."""
    rows, columns, labels = 24, 32, 3
    heat = spread_logits((rows, columns, labels), seed=1, share=0.1, low=-4).transpose(2, 0, 1)[None]
    rng = np.random.default_rng(2)
    sizes = rng.uniform(1, 9, (1, 2, rows, columns)).astype(np.float32)
    offsets = rng.uniform(0, 1, (1, 2, rows, columns)).astype(np.float32)
    found = []
    for label, row, column in np.ndindex(labels, rows, columns):
        around = heat[0, label, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        score = slow_sigmoid(float(heat[0, label, row, column]))
        if heat[0, label, row, column] == around.max() and score >= 0.3:
            center = (offsets[0, :, row, column] + (column, row)) * 4.0
            size = sizes[0, :, row, column] * 4.0
            found.append(Found(centered(*center.tolist(), *size.tolist()), score, label))
    assert len(found) > 20
    scale = Scale(
        box=Part(tensor="reg", axes=NCHW),
        size=Part(tensor="wh", axes=NCHW),
        classes=Part(tensor="hm", axes=NCHW),
        grids=[Grid(rows=rows, columns=columns)],
    )
    output = CandidateBoxes(
        scales=[scale],
        coding=OffsetCoding(size_activation="none"),
        class_activation="sigmoid",
        peaks=3,
        least_score=0.3,
        suppression=Suppression(method="none"),
    )
    outputs = {"hm": heat, "wh": sizes, "reg": offsets}
    image = ImageInput(width=4 * columns, height=4 * rows)
    assert_same_boxes(decode(output, image, labels, outputs), found)


def test_fcos_multiplies_by_centerness_and_counts_pixels() -> None:
    """Tian et al., 2019: exp() of distances; score = sqrt(class * centerness)."""
    rows, columns, labels, stride = 12, 16, 4, 8
    classes = spread_logits((1, rows, columns, labels), seed=3, low=-4)
    centerness = np.random.default_rng(4).normal(0, 1, (1, rows, columns, 1)).astype(np.float32)
    distances = np.random.default_rng(5).normal(3, 0.5, (1, rows, columns, 4)).astype(np.float32)
    found = []
    for row, column in np.ndindex(rows, columns):
        x, y = stride / 2 + column * stride, stride / 2 + row * stride
        left, top, right, bottom = (math.exp(one) for one in distances[0, row, column].tolist())
        scores = [
            math.sqrt(slow_sigmoid(one) * slow_sigmoid(float(centerness[0, row, column, 0])))
            for one in classes[0, row, column].tolist()
        ]
        box = (x - left, y - top, x + right, y + bottom)
        found += [Found(box, score, label) for label, score in enumerate(scores) if score >= 0.2]
    assert len(found) > 5
    axes: list[Axis] = ["batch", "rows", "columns", "values"]
    scale = Scale(
        box=Part(tensor="ltrb", axes=axes),
        classes=Part(tensor="classes", axes=axes),
        objectness=Part(tensor="centerness", axes=axes),
        grids=[Grid(rows=rows, columns=columns)],
    )
    output = CandidateBoxes(
        scales=[scale],
        coding=DistanceCoding(activation="exp", unit="pixel"),
        class_activation="sigmoid",
        objectness_activation="sigmoid",
        objectness_power=0.5,
        class_power=0.5,
        several_classes=True,
        least_score=0.2,
        suppression=Suppression(iou_threshold=0.6),
    )
    image = ImageInput(width=stride * columns, height=stride * rows)
    outputs = {"ltrb": distances, "classes": classes, "centerness": centerness}
    assert_same_boxes(decode(output, image, labels, outputs), slow_nms(found, 0.6))


def test_nanodet_has_cells_that_reach_beyond_the_input() -> None:
    """NanoDet-Plus: classes first, then 4 x 8 bins; points at the corners of cells of 8 to 64 pixels."""
    side, labels = 416, 5
    grids = [math.ceil(side / stride) for stride in (8, 16, 32, 64)]
    assert grids[-1] * 64 > side
    total = sum(cells * cells for cells in grids)
    output_rows = np.zeros((1, total, labels + 32), np.float32)
    numbers = spread_logits((1, total, 32 + labels), seed=6, boxes=32)
    output_rows[..., labels:] = numbers[..., :32]
    output_rows[..., :labels] = 1 / (1 + np.exp(-numbers[..., 32:]))
    found, place = [], 0
    for cells, stride in zip(grids, (8, 16, 32, 64), strict=True):
        for row, column in np.ndindex(cells, cells):
            values = output_rows[0, place].tolist()
            place += 1
            label = max(range(labels), key=values.__getitem__)
            if values[label] < 0.05:
                continue
            left, top, right, bottom = (
                stride * sum(n * share for n, share in enumerate(slow_softmax(values[at : at + 8])))
                for at in range(labels, labels + 32, 8)
            )
            x, y = column * stride, row * stride
            found.append(Found((x - left, y - top, x + right, y + bottom), values[label], label))
    scale = Scale(
        box=Part(axes=ROWS, start=labels),
        classes=Part(axes=ROWS),
        grids=[Grid(rows=n, columns=n, stride=s) for n, s in zip(grids, (8, 16, 32, 64), strict=True)],
    )
    output = CandidateBoxes(
        scales=[scale],
        coding=DistanceCoding(center_offset=0.0, bins=8),
        suppression=Suppression(iou_threshold=0.6),
    )
    expected = slow_nms(found, 0.6)
    assert len(expected) > 20
    image = ImageInput(width=side, height=side)
    assert_same_boxes(decode(output, image, labels, {"output": output_rows}), expected)


def test_efficientdet_has_boxes_and_classes_by_level_in_tensors_of_their_own() -> None:
    """Tan et al., 2020: nine anchors a cell, y before x, sizes relative to the anchor."""
    labels, image = 4, ImageInput(width=128, height=128)
    outputs: dict[str, Array] = {}
    scales, found = [], []
    for level in (3, 4):
        stride = 2**level
        cells = 128 // stride
        anchors = [
            (
                4.0 * stride * 2 ** (octave / 3) * math.sqrt(ratio),
                4.0 * stride * 2 ** (octave / 3) / math.sqrt(ratio),
            )
            for octave in range(3)
            for ratio in (1.0, 2.0, 0.5)
        ]
        boxes = np.random.default_rng(level).normal(0, 0.5, (1, cells, cells, 36)).astype(np.float32)
        classes = spread_logits((1, cells, cells, 9 * labels), seed=level, low=-6, share=0.01)
        for row, column, anchor in np.ndindex(cells, cells, 9):
            ty, tx, th, tw = boxes[0, row, column, 4 * anchor : 4 * anchor + 4].tolist()
            logits = classes[0, row, column, labels * anchor : labels * (anchor + 1)].tolist()
            label = max(range(labels), key=logits.__getitem__)
            width, height = anchors[anchor]
            if slow_sigmoid(logits[label]) >= 0.1:
                x, y = tx * width + (column + 0.5) * stride, ty * height + (row + 0.5) * stride
                box = centered(x, y, math.exp(tw) * width, math.exp(th) * height)
                found.append(Found(box, slow_sigmoid(logits[label]), label))
        outputs |= {f"box{level}": boxes, f"class{level}": classes}
        axes: list[Axis] = ["batch", "rows", "columns", "anchors_values"]
        scales.append(
            Scale(
                box=Part(tensor=f"box{level}", axes=axes),
                classes=Part(tensor=f"class{level}", axes=axes),
                grids=[Grid(rows=cells, columns=cells, anchors=anchors)],
            )
        )
    output = CandidateBoxes(
        scales=scales,
        coding=OffsetCoding(order="yx", center_offset=0.5, center_unit="anchor", size_unit="anchor"),
        class_activation="sigmoid",
        least_score=0.1,
        most=1000,
    )
    assert len(found) > 20
    assert_same_boxes(decode(output, image, labels, outputs), slow_nms(found, 0.45))


def test_yolov4_scales_its_centers_otherwise_in_each_grid() -> None:
    """Bochkovskiy et al., 2020: scale_x_y of 1.2 and 1.1; center = scale * sigmoid - (scale - 1) / 2."""
    labels, image = 3, ImageInput(width=64, height=64)
    outputs: dict[str, Array] = {}
    scales, found = [], []
    for name, cells, factor in (("fine", 8, 1.2), ("coarse", 4, 1.1)):
        raw = spread_logits((1, cells, cells, 5 + labels), seed=cells, boxes=4, low=-2, share=0.2)
        for row, column in np.ndindex(cells, cells):
            tx, ty, tw, th, objectness, *classes = raw[0, row, column].tolist()
            scores = [slow_sigmoid(objectness) * slow_sigmoid(one) for one in classes]
            label = scores.index(max(scores))
            x, y = (
                (at + factor * slow_sigmoid(t) - (factor - 1) / 2) * 64 / cells
                for at, t in ((column, tx), (row, ty))
            )
            if scores[label] >= 0.05:
                box = centered(x, y, math.exp(tw) * 20, math.exp(th) * 30)
                found.append(Found(box, scores[label], label))
        outputs[name] = raw.transpose(0, 3, 1, 2)
        scales.append(
            Scale(
                box=Part(tensor=name, axes=NCHW),
                objectness=Part(tensor=name, axes=NCHW, start=4),
                classes=Part(tensor=name, axes=NCHW, start=5),
                grids=[Grid(rows=cells, columns=cells, anchors=[(20, 30)])],
                coding=OffsetCoding(
                    center_offset=-(factor - 1) / 2,
                    center_activation="sigmoid",
                    center_scale=factor,
                    size_unit="anchor",
                ),
            )
        )
    output = CandidateBoxes(
        scales=scales, coding=OffsetCoding(), class_activation="sigmoid", objectness_activation="sigmoid"
    )
    assert len(found) > 10
    assert_same_boxes(decode(output, image, labels, outputs), slow_nms(found, 0.45))


def test_scrfd_has_two_anchors_a_cell_that_differ_in_nothing_but_their_answers() -> None:
    """Guo et al., 2021: distances in strides from the cell's corner; outputs have no batch axis."""
    cells, stride = 8, 8
    rng = np.random.default_rng(9)
    scores = rng.uniform(0, 1, (cells * cells * 2, 1)).astype(np.float32)
    distances = rng.uniform(0.5, 4, (cells * cells * 2, 4)).astype(np.float32)
    found, axes = [], list[Axis](("candidates", "values"))
    for place, (row, column, _) in enumerate(np.ndindex(cells, cells, 2)):
        left, top, right, bottom = (stride * distances[place]).tolist()
        x, y = column * stride, row * stride
        if scores[place, 0] >= 0.5:
            found.append(Found((x - left, y - top, x + right, y + bottom), float(scores[place, 0]), 0))
    output = CandidateBoxes(
        scales=[
            Scale(
                box=Part(tensor="bbox_8", axes=axes),
                classes=Part(tensor="score_8", axes=axes),
                grids=[Grid(rows=cells, columns=cells, anchors=[(16, 16), (32, 32)])],
            )
        ],
        coding=DistanceCoding(center_offset=0.0),
        least_score=0.5,
        suppression=Suppression(iou_threshold=0.4),
    )
    image = ImageInput(width=64, height=64)
    outputs = {"score_8": scores, "bbox_8": distances}
    assert_same_boxes(decode(output, image, 1, outputs), slow_nms(found, 0.4))
