"""FastestDet with its boxes and scores written as the raw outputs of another family.

No weights of these families are in the data; FastestDet's features make their outputs those of real
photos. Each encoding is the inverse of what the family's authors publish as its decoding, and shares
nothing with the product. Where a family has several grids, FastestDet's 22 x 22 cells are dealt out
among them, so that each grid has some; candidates that are left score nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import onnx
from onnx import numpy_helper
from onnx_nodes import Nodes

from edge_sdk.contract.values import Array

__all__ = ["REHEADED", "reheaded"]

SIDE, GRID, CELLS, LABELS = 352, 22, 22 * 22, 80
NOTHING = -20.0  # a logit whose share is 2e-9
_ROW, _COLUMN = (axis.reshape(-1) for axis in np.indices((GRID, GRID)))
_BOTH_ODD = (_ROW % 2 == 1) & (_COLUMN % 2 == 1)
_BOTH_EVEN = (_ROW % 2 == 0) & (_COLUMN % 2 == 0)


class _Found(NamedTuple):
    """What FastestDet says of its 484 cells, as tensors with these on the last axis.

    Attributes:
        center: x and y in pixels of the input, ``[1, 2, 484]``.
        size: Width and height likewise.
        objectness: To the power of 0.6, ``[1, 1, 484]``.
        classes: To the power of 0.4, ``[1, 80, 484]``; the score of a class is their product.
    """

    center: str
    size: str
    objectness: str
    classes: str


def reheaded(model: bytes, head: str) -> bytes:
    """FastestDet with the outputs of another head, one of :data:`REHEADED`."""
    proto = onnx.load_from_string(model)
    nodes = Nodes(proto)
    raw = nodes("Reshape", proto.graph.output[0].name, [1, 5 + LABELS, CELLS])
    cells = np.stack([_COLUMN, _ROW])[None].astype(np.float32)
    in_cells = nodes("Add", nodes("Tanh", nodes.part(raw, 1, 3)), cells)
    found = _Found(
        center=nodes("Mul", in_cells, SIDE / GRID),
        size=nodes("Mul", nodes("Sigmoid", nodes.part(raw, 3, 5)), float(SIDE)),
        objectness=nodes("Pow", nodes.part(raw, 0, 1), 0.6),
        classes=nodes("Pow", nodes.part(raw, 5, 5 + LABELS), 0.4),
    )
    return REHEADED[head](nodes, found)


def _yolov8(nodes: Nodes, found: _Found) -> bytes:
    scores = nodes("Mul", found.objectness, found.classes)
    table = nodes.joined(found.center, found.size, scores)
    return nodes.finish(output0=(table, (1, 4 + LABELS, CELLS)))


def _yolov5(nodes: Nodes, found: _Found) -> bytes:
    """As its exporter decodes: ``x, y, w, h, objectness, classes``."""
    table = nodes.joined(found.center, found.size, found.objectness, found.classes)
    rows = nodes("Transpose", table, perm=[0, 2, 1])
    return nodes.finish(output0=(rows, (1, CELLS, 5 + LABELS)))


def _yolox(nodes: Nodes, found: _Found) -> bytes:
    """Strides of 8, 16 and 32, row by row; offsets and logarithms of sizes in cells."""
    stride = np.where(_BOTH_ODD, 32, np.where(_BOTH_EVEN, 8, 16))
    row, column = 16 * _ROW // stride, 16 * _COLUMN // stride
    grids = [SIDE // 8, SIDE // 16, SIDE // 32]
    first = np.select([stride == 8, stride == 16], [0, grids[0] ** 2], grids[0] ** 2 + grids[1] ** 2)
    slot = first + row * (SIDE // stride) + column
    pixels = stride.astype(np.float32)
    cells = np.stack([column, row])[None].astype(np.float32)
    offset = nodes("Sub", nodes("Div", found.center, pixels), cells)
    size = nodes("Log", nodes("Div", found.size, pixels))
    total = sum(side * side for side in grids)
    values = nodes.joined(offset, size, found.objectness, found.classes)
    rows = nodes("Transpose", _placed(nodes, values, slot, (5 + LABELS, total)), perm=[0, 2, 1])
    return nodes.finish(output=(rows, (1, total, 5 + LABELS)))


def _yolov3(nodes: Nodes, found: _Found) -> bytes:
    """Three grids of three anchors, all logits.

    A center of FastestDet may lie one cell further left or up, but a sigmoid stays in its cell: to which
    cell a candidate goes follows from the picture. Its anchor is chosen so that no two go to the same:
    cells of 16 pixels whose row and column are both odd reach just one cell of 32 pixels, each its own.
    """
    anchor_sizes = {8: (33, 23), 16: (30, 61), -16: (62, 45), 32: (373, 326)}
    kind = np.select([_BOTH_ODD, _BOTH_EVEN, _ROW % 2 == 1], [32, 8, -16], 16)
    stride = abs(kind)
    grids = {size: SIDE // size for size in (8, 16, 32)}
    first_slot = {8: 2 * grids[8] ** 2, 16: 3 * grids[8] ** 2}
    first_slot[-16] = first_slot[16] + grids[16] ** 2
    first_slot[32] = first_slot[16] + 3 * grids[16] ** 2 + 2 * grids[32] ** 2
    side = (SIDE // stride).astype(np.float32)
    place = nodes("Div", found.center, stride.astype(np.float32))
    cell = nodes("Min", nodes("Max", nodes("Floor", place), 0.0), side - 1)
    within = nodes("Sub", place, cell)
    anchors = np.array([anchor_sizes[one] for one in kind.tolist()], np.float32).T[None]
    size = nodes("Log", nodes("Div", found.size, anchors))
    first = np.array([first_slot[one] for one in kind.tolist()], np.float32)
    row, column = nodes.part(cell, 1, 2), nodes.part(cell, 0, 1)
    slot = nodes("Add", nodes("Add", nodes("Mul", row, side), column), first)
    slots = nodes("Cast", slot, to=onnx.TensorProto.INT64)
    total = 3 * sum(side * side for side in grids.values())
    boxes = _placed(nodes, nodes.joined(nodes.logit(within), size), slots, (4, total))
    logits = nodes.joined(nodes.logit(found.objectness), nodes.logit(found.classes))
    scores = _placed(nodes, logits, slots, (1 + LABELS, total), NOTHING)
    table = nodes.joined(boxes, scores)
    outputs, start, values = {}, 0, 5 + LABELS
    for stride_of_grid, rows in grids.items():
        end = start + 3 * rows * rows
        apart = nodes("Reshape", nodes.part(table, start, end, axis=2), [1, values, 3, rows, rows])
        turned = nodes("Transpose", apart, perm=[0, 2, 1, 3, 4])
        shape = (1, 3 * values, rows, rows)
        outputs[f"stride_{stride_of_grid}"] = (nodes("Reshape", turned, list(shape)), shape)
        start = end
    return nodes.finish(**outputs)


def _ssd_mobilenet(nodes: Nodes, found: _Found) -> bytes:
    """Offsets from prior boxes with variances of 0.1 and 0.2; a softmax with the background first.

    The priors of the first two layers are taken, of each its cells and shapes in turn. Shares add up to
    one, FastestDet's scores do not: each candidate keeps its best class.
    """
    shapes = ([(0.1, 1.0), (0.2, 2.0), (0.2, 0.5)], [(0.35, r) for r in (1.0, 2.0, 0.5, 3.0, 1 / 3)])
    shapes[1].append((math.sqrt(0.35 * 0.5), 1.0))
    layer_cells = [math.ceil(SIDE / stride) for stride in (16, 32, 64, 128, 256, 512)]
    total = 3 * layer_cells[0] ** 2 + 6 * sum(side * side for side in layer_cells[1:])
    slots, priors = [], []
    for row, column in np.ndindex(GRID, GRID):
        layer = row % 2 * (column % 2)
        side, kinds = layer_cells[layer], shapes[layer]
        at = (row // 2, column // 2) if layer else (row, column)
        kind = (row + column) // 2 % len(kinds)
        slots.append(layer * 3 * GRID * GRID + (at[0] * side + at[1]) * len(kinds) + kind)
        scale, ratio = kinds[kind]
        height, width = scale / math.sqrt(ratio), scale * math.sqrt(ratio)
        priors.append([(at[0] + 0.5) / side, (at[1] + 0.5) / side, height, width])
    prior = np.array(priors, np.float32).T[None]
    center, size = (nodes("Gather", one, [1, 0], axis=1) for one in (found.center, found.size))
    moved = nodes("Sub", nodes("Div", center, float(SIDE)), prior[:, :2])
    offset = nodes("Div", moved, prior[:, 2:] * np.float32(0.1))
    factor = nodes("Log", nodes("Div", size, prior[:, 2:] * np.float32(SIDE)))
    boxes = _placed(nodes, nodes.joined(offset, nodes("Div", factor, 0.2)), np.array(slots), (4, total))
    best, is_best = _best(nodes, found)
    nothing_else = nodes("Where", is_best, nodes.log_share(best), NOTHING)
    background = nodes.log_share(nodes("Sub", 1.0, best))
    placed = _placed(nodes, nothing_else, np.array(slots), (LABELS, total), NOTHING)
    backgrounds = _placed(nodes, background, np.array(slots), (1, total))
    encodings = nodes("Transpose", boxes, perm=[0, 2, 1])
    predictions = nodes("Transpose", nodes.joined(backgrounds, placed), perm=[0, 2, 1])
    return nodes.finish(
        **{
            "raw_outputs/box_encodings": (encodings, (1, total, 4)),
            "raw_outputs/class_predictions": (predictions, (1, total, LABELS + 1)),
        }
    )


_ROOM = 300


def _yolo_nms(nodes: Nodes, found: _Found) -> bytes:
    """Rows ``x1, y1, x2, y2, score, class`` in pixels, best first, with room for 300."""
    rows = nodes("Transpose", nodes.joined(*_suppressed(nodes, found)), perm=[0, 2, 1])
    return nodes.finish(output0=(rows, (1, _ROOM, 6)))


def _tflite_detection_postprocess(nodes: Nodes, found: _Found) -> bytes:
    """Boxes ``y1, x1, y2, x2`` as shares, classes, scores and their count."""
    corners, scores, classes = _suppressed(nodes, found)
    shares = nodes("Div", nodes("Gather", corners, [1, 0, 3, 2], axis=1), float(SIDE))
    is_found = nodes("Cast", nodes("Greater", scores, 0.0), to=onnx.TensorProto.FLOAT)
    name = "TFLite_Detection_PostProcess"
    return nodes.finish(
        **{
            name: (nodes("Transpose", shares, perm=[0, 2, 1]), (1, _ROOM, 4)),
            f"{name}:1": (nodes("Squeeze", classes, axes=[1]), (1, _ROOM)),
            f"{name}:2": (nodes("Squeeze", scores, axes=[1]), (1, _ROOM)),
            f"{name}:3": (nodes("ReduceSum", is_found, axes=[1, 2], keepdims=0), (1,)),
        }
    )


def _suppressed(nodes: Nodes, found: _Found) -> tuple[str, str, str]:
    """Corners in pixels, scores and classes of the 300 best after ONNX's own suppression.

    Each on the last axis, ``[1, 4, 300]`` and ``[1, 1, 300]``; what was suppressed scores 0.
    """
    half = nodes("Mul", found.size, 0.5)
    corners = nodes.joined(nodes("Sub", found.center, half), nodes("Add", found.center, half))
    best, is_best = _best(nodes, found)
    of_best = nodes("Where", is_best, best, 0.0)
    boxes = nodes("Transpose", corners, perm=[0, 2, 1])
    limits = (np.array(CELLS, np.int64), 0.45, 0.05)
    kept = nodes("NonMaxSuppression", boxes, of_best, *limits)
    cells = nodes("Reshape", nodes.part(kept, 2, 3), [1, 1, -1])
    ones = nodes("Cast", nodes("Greater", cells, np.array(-1, np.int64)), to=onnx.TensorProto.FLOAT)
    mask = nodes("ScatterElements", np.zeros((1, 1, CELLS), np.float32), cells, ones, axis=2)
    scores = nodes("Mul", best, mask)
    order = nodes("TopK", scores, [_ROOM], outputs=2, axis=2)
    flat = nodes("Reshape", order, [_ROOM])
    label = nodes("Cast", nodes("ArgMax", of_best, axis=1, keepdims=1), to=onnx.TensorProto.FLOAT)
    sorted_corners, sorted_scores, labels = (
        nodes("Gather", one, flat, axis=2) for one in (corners, scores, label)
    )
    return sorted_corners, sorted_scores, labels


def _best(nodes: Nodes, found: _Found) -> tuple[str, str]:
    """The score of each candidate's best class, and which class that is, as truth values."""
    top = nodes("ReduceMax", found.classes, axes=[1], keepdims=1)
    return nodes("Mul", found.objectness, top), nodes("Equal", found.classes, top)


def _placed(nodes: Nodes, values: str, slots: str | Array, shape: tuple[int, int], empty: float = 0.0) -> str:
    """Values ``[1, n, 484]`` at their places among all candidates of a head, ``[1, n, total]``."""
    fill = numpy_helper.from_array(np.array([empty], np.float32))
    everything = nodes("ConstantOfShape", [1, *shape], value=fill)
    each = nodes("Reshape", slots, [1, 1, CELLS])
    return nodes("ScatterElements", everything, nodes("Expand", each, [1, shape[0], CELLS]), values, axis=2)


REHEADED: Mapping[str, Callable[[Nodes, _Found], bytes]] = MappingProxyType(
    {
        "yolov3": _yolov3,
        "yolov5": _yolov5,
        "yolov8": _yolov8,
        "yolo11": _yolov8,
        "yolox": _yolox,
        "yolo_nms": _yolo_nms,
        "yolov10": _yolo_nms,
        "ssd_mobilenet": _ssd_mobilenet,
        "tflite_detection_postprocess": _tflite_detection_postprocess,
    }
)
"""What writes the outputs of each head."""
