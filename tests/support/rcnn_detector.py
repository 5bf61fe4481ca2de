"""A two-stage detector as torchvision exports Faster R-CNN, which truly finds red and green squares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from boxed_pictures import write_coco
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from edge_sdk.contract.values import Float32Array

__all__ = ["RCNN_SPEC", "rcnn_model", "write_rcnn_pictures"]

SIDE, CELL = 64, 8
CELLS = SIDE // CELL
COLORS = {"red": (255, 0, 0), "green": (0, 255, 0)}
RCNN_SPEC = """
name = "squares"
version = "1.0.0"
task = "detect"
[[labels]]
id = "red"
[[labels]]
id = "green"
[default_rule]
threshold = 0.5
[image]
width = 64
height = 64
layout = "nchw"
preprocessing = "unit"
[detector]
decoder = "detection_tensors"
boxes = "boxes"
classes = "labels"
scores = "scores"
first_class = 1
coding = { coding = "direct", form = "corners", order = "xy", units = "pixels" }
"""


def write_rcnn_pictures(folder: Path, n: int, seed: int) -> Path:
    """Pictures of 128x128, dark but for up to four squares of 16x16, each where an anchor is."""
    random = np.random.default_rng(seed)
    boxes = []
    (folder / "images").mkdir(parents=True)
    for number in range(n):
        pixels = random.integers(0, 30, (2 * SIDE, 2 * SIDE, 3)).astype(np.uint8)
        for place in random.choice(CELLS * CELLS, size=1 + number % 4, replace=False).tolist():
            row, column = divmod(place, CELLS)
            name = str(random.choice(list(COLORS)))
            pixels[16 * row : 16 * row + 16, 16 * column : 16 * column + 16] = COLORS[name]
            boxes.append({"image": number, "name": name, "bbox": [16 * column, 16 * row, 16, 16]})
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
    sizes = [(f"{number}.png", 2 * SIDE, 2 * SIDE) for number in range(n)]
    write_coco(folder / "squares.json", sizes, boxes, *COLORS)
    return folder


def rcnn_model(*, first_stage: bool = False) -> bytes:
    """ONNX: backbone, proposals, RoiAlign, box head; so many boxes as there are squares.

    Args:
        first_stage: Nothing but that.
    """
    nodes = [*_backbone(), *_proposals()]
    outputs: dict[str, tuple[str | int, ...]] = {"proposals": ("found", 4)}
    if not first_stage:
        nodes += _box_head()
        outputs = {"boxes": ("found", 4), "labels": ("found",), "scores": ("found",)}
    graph = helper.make_graph(
        nodes,
        "rcnn",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, 3, SIDE, SIDE))],
        [
            helper.make_tensor_value_info(
                name, TensorProto.INT64 if name == "labels" else TensorProto.FLOAT, shape
            )
            for name, shape in outputs.items()
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in _constants().items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _backbone() -> list[Any]:
    node = helper.make_node
    return [
        node("Conv", ["picture", "stem_w", "stem_b"], ["stem"], name="stem", strides=[4, 4]),
        node("Relu", ["stem"], ["stem_out"], name="stem_relu"),
        node("Conv", ["stem_out", "body_w"], ["body"], name="body", strides=[2, 2]),
        node("Relu", ["body"], ["features"], name="body_relu"),
    ]


def _proposals() -> list[Any]:
    """The best 24 anchors, moved, of which those that overlap are left out."""
    node = helper.make_node
    return [
        node("Conv", ["features", "rpn_w"], ["rpn"], name="rpn_conv"),
        node("Relu", ["rpn"], ["rpn_out"], name="rpn_relu"),
        node("Conv", ["rpn_out", "objectness_w", "objectness_b"], ["objectness"], name="rpn_objectness"),
        node("Conv", ["rpn_out", "moves_w"], ["moves"], name="rpn_moves"),
        node("Reshape", ["objectness", "one_row"], ["flat_objectness"], name="rpn_flat"),
        node("Sigmoid", ["flat_objectness"], ["proposal_scores"], name="rpn_sigmoid"),
        node("TopK", ["proposal_scores", "most"], ["best_scores", "best"], name="rpn_topk"),
        node("Transpose", ["moves"], ["moves_last"], name="rpn_last", perm=[0, 2, 3, 1]),
        node("Reshape", ["moves_last", "rows_of_4"], ["moves_rows"], name="rpn_rows"),
        node("Mul", ["moves_rows", "cell"], ["moves_pixels"], name="rpn_scale"),
        node("Add", ["moves_pixels", "anchors"], ["moved"], name="rpn_move"),
        node("Clip", ["moved", "zero", "side"], ["clipped"], name="rpn_clip"),
        node("Squeeze", ["best", "first"], ["best_flat"], name="rpn_best"),
        node("Gather", ["clipped", "best_flat"], ["candidates"], name="rpn_candidates"),
        node("Unsqueeze", ["candidates", "first"], ["nms_boxes"], name="rpn_nms_boxes"),
        node("Unsqueeze", ["best_scores", "first"], ["nms_scores"], name="rpn_nms_scores"),
        node(
            "NonMaxSuppression",
            ["nms_boxes", "nms_scores", "most_proposals", "much_overlap", "least_objectness"],
            ["kept"],
            name="rpn_nms",
        ),
        node("Gather", ["kept", "third"], ["kept_rows"], name="rpn_kept", axis=1),
        node("Squeeze", ["kept_rows", "second"], ["kept_flat"], name="rpn_kept_flat"),
        node("Gather", ["candidates", "kept_flat"], ["proposals"], name="rpn_proposals"),
    ]


def _box_head() -> list[Any]:
    node = helper.make_node
    return [
        node("Mul", ["kept_flat", "no_number"], ["pictures"], name="roi_pictures"),
        node(
            "RoiAlign",
            ["features", "proposals", "pictures"],
            ["pooled"],
            name="roi_align",
            output_height=2,
            output_width=2,
            sampling_ratio=2,
            spatial_scale=1 / CELL,
            coordinate_transformation_mode="half_pixel",
        ),
        node("Flatten", ["pooled"], ["flat"], name="head_flat"),
        node("Gemm", ["flat", "head_w"], ["hidden"], name="head_hidden", transB=1),
        node("Relu", ["hidden"], ["hidden_out"], name="head_relu"),
        node("Gemm", ["hidden_out", "classes_w", "classes_b"], ["logits"], name="head_classes", transB=1),
        node("Gemm", ["hidden_out", "shifts_w"], ["shifts"], name="head_shifts", transB=1),
        node("Softmax", ["logits"], ["shares"], name="head_softmax", axis=1),
        node("Slice", ["shares", "from_1", "to_3", "second"], ["things"], name="head_things"),
        node("Mul", ["shifts", "cell"], ["shifts_pixels"], name="head_scale"),
        node("Add", ["proposals", "shifts_pixels"], ["corners"], name="head_move"),
        node("Clip", ["corners", "zero", "side"], ["all_boxes"], name="head_clip"),
        node("Unsqueeze", ["all_boxes", "first"], ["end_boxes"], name="head_nms_boxes"),
        node("Transpose", ["things"], ["things_first"], name="head_by_class", perm=[1, 0]),
        node("Unsqueeze", ["things_first", "first"], ["end_scores"], name="head_nms_scores"),
        node(
            "NonMaxSuppression",
            ["end_boxes", "end_scores", "most_found", "overlap", "least_score"],
            ["found"],
            name="head_nms",
        ),
        node("Gather", ["found", "third_flat"], ["found_at"], name="head_found", axis=1),
        node("Gather", ["all_boxes", "found_at"], ["boxes"], name="head_boxes"),
        node("Gather", ["found", "second_flat"], ["found_class"], name="head_class", axis=1),
        node("Add", ["found_class", "one_number"], ["labels"], name="head_labels"),
        node("Slice", ["found", "from_1", "to_3", "second"], ["found_pairs"], name="head_pairs"),
        node("GatherND", ["things_first", "found_pairs"], ["scores"], name="head_scores"),
    ]


def _constants() -> dict[str, Any]:
    rows, columns = np.mgrid[:CELLS, :CELLS].astype(np.float32).reshape(2, -1) * CELL
    return {
        **_weights(),
        "anchors": np.stack([columns, rows, columns + CELL, rows + CELL], axis=1),
        "one_row": np.array([1, -1]),
        "rows_of_4": np.array([-1, 4]),
        "most": np.array([24]),
        "cell": np.array(CELL, np.float32),
        "zero": np.array(0, np.float32),
        "side": np.array(SIDE, np.float32),
        "first": np.array([0]),
        "second": np.array([1]),
        "third": np.array([2]),
        "second_flat": np.array(1),
        "third_flat": np.array(2),
        "from_1": np.array([1]),
        "to_3": np.array([3]),
        "no_number": np.array(0),
        "one_number": np.array(1),
        "most_proposals": np.array([12]),
        "much_overlap": np.array([0.7], np.float32),
        "least_objectness": np.array([0.3], np.float32),
        "most_found": np.array([12]),
        "overlap": np.array([0.5], np.float32),
        "least_score": np.array([0.05], np.float32),
    }


def _weights() -> dict[str, Float32Array]:
    """Channels 0 and 1 are red and green; six others are mixtures, which the rest hardly weighs."""
    random = np.random.default_rng(5)

    def small(*shape: int) -> Float32Array:
        return random.normal(scale=0.01, size=shape).astype(np.float32)

    stem, body, rpn = small(8, 3, 4, 4), small(8, 8, 2, 2), small(8, 8, 1, 1)
    stem[0, 0], stem[1, 1] = 1 / 16, 1 / 16
    body[[0, 1], [0, 1]] = 1 / 4
    rpn[[0, 1], [0, 1]] = 1.0
    objectness, hidden, classes = small(1, 8, 1, 1), small(8, 32), small(3, 8)
    objectness[0, :2] = 12.0
    hidden[0, 0:4] = hidden[1, 4:8] = 1 / 4
    classes[1, 0] = classes[2, 1] = 12.0
    return {
        "stem_w": stem,
        "stem_b": np.zeros(8, np.float32),
        "body_w": body,
        "rpn_w": rpn,
        "objectness_w": objectness,
        "objectness_b": np.full(1, -6.0, np.float32),
        "moves_w": small(4, 8, 1, 1),
        "head_w": hidden,
        "classes_w": classes,
        "classes_b": np.array([6.0, 0.0, 0.0], np.float32),
        "shifts_w": small(4, 8),
    }
