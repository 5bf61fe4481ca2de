"""Detectors that find coloured squares perfectly, with boxes in any of the usual forms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from boxed_pictures import write_coco
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from edge_sdk.contract.values import Float32Array

__all__ = [
    "SQUARE_CANDIDATES",
    "SQUARE_GRID",
    "square_boxes",
    "square_model",
    "write_squares",
    "write_squares_spec",
]

COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
WIDTH, HEIGHT, CELL = 64, 48, 8
ROWS, COLUMNS = HEIGHT // CELL, WIDTH // CELL

SQUARE_CANDIDATES = """
[[detector.scales]]
box = { axes = ["batch", "values", "candidates"] }
classes = { axes = ["batch", "values", "candidates"], start = 4 }
"""
SQUARE_GRID = SQUARE_CANDIDATES + "grids = [{ rows = 6, columns = 8 }]\n"
_SPEC = """
name = "squares"
version = "1.0.0"
task = "detect"
labels_file = "labels.txt"
[default_rule]
threshold = 0.5
[image]
width = 64
height = 48
layout = "nchw"
preprocessing = "unit"
[detector]
decoder = "candidate_boxes"
"""


def write_squares(folder: Path, n: int = 12, seed: int = 1, names: Sequence[str] = tuple(COLORS)) -> Path:
    """Pictures of 128x96, black but for three squares of 16x16, each a cell of the detector."""
    random = np.random.default_rng(seed)
    boxes = []
    (folder / "images").mkdir(parents=True)
    for number in range(n):
        pixels = np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8)
        for place in random.choice(ROWS * COLUMNS, size=3, replace=False).tolist():
            row, column = divmod(place, COLUMNS)
            name = names[int(random.integers(len(names)))]
            pixels[16 * row : 16 * row + 16, 16 * column : 16 * column + 16] = COLORS[name]
            boxes.append({"image": number, "name": name, "bbox": [16 * column, 16 * row, 16, 16]})
        pixels[0, 0] = number  # no two are the same file
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    sizes = [(f"{number}.png", 2 * WIDTH, 2 * HEIGHT) for number in range(n)]
    write_coco(folder / "squares.json", sizes, boxes, *COLORS)
    return folder


def write_squares_spec(path: Path, detector: str, *labels: str) -> Path:
    """A spec for it, with what comes below ``decoder`` in ``[detector]``."""
    (path.parent / "labels.txt").write_text("\n".join(labels or COLORS))
    path.write_text(_SPEC + detector)
    return path


def square_boxes(form: str) -> Float32Array:
    """What the model gives for the box of each cell, ``[4, rows, columns]``."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS].astype(np.float32)
    if form == "distances":
        return np.full((4, ROWS, COLUMNS), 0.5, np.float32)
    if form == "corners, yx, pixels":
        return np.stack([rows, columns, rows + 1, columns + 1]) * np.float32(CELL)
    left, top, width, height = columns / COLUMNS, rows / ROWS, 1 / COLUMNS, 1 / ROWS
    if form == "corners, yx, shares":
        return np.stack([top, left, top + height, left + width])
    if form == "center_size, xy, shares":
        sides = [np.full_like(left, width), np.full_like(left, height)]
        return np.stack([left + width / 2, top + height / 2, *sides])
    raise ValueError(form)


def square_model(boxes: Float32Array, *, sigmoid: bool) -> bytes:
    """ONNX: ``[1, 7, 48]``, boxes that never change and logits, or scores, of red, green and blue."""
    weights = np.full((3, 3), -16.0, dtype=np.float32)
    np.fill_diagonal(weights, 16.0)  # black -8, the own colour 8, another -24
    constants: dict[str, Any] = {
        "weights": weights.reshape(3, 3, 1, 1),
        "bias": np.full(3, -8.0, dtype=np.float32),
        "boxes": boxes[None].astype(np.float32),
        "flat": np.array([1, 7, ROWS * COLUMNS], dtype=np.int64),
    }
    nodes = [
        helper.make_node("AveragePool", ["x"], ["cells"], kernel_shape=[CELL] * 2, strides=[CELL] * 2),
        helper.make_node("Conv", ["cells", "weights", "bias"], ["logits"]),
        helper.make_node("Sigmoid" if sigmoid else "Identity", ["logits"], ["classes"]),
        helper.make_node("Concat", ["boxes", "classes"], ["both"], axis=1),
        helper.make_node("Reshape", ["both", "flat"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "squares",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, HEIGHT, WIDTH))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 7, ROWS * COLUMNS))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
