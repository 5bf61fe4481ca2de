"""Small ONNX models that show what an engine does with precisions, open sizes and much work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

__all__ = ["boxes_onnx", "deep_onnx", "half_onnx", "int8_onnx", "mixed_onnx", "scaled_onnx", "unknown_onnx"]

Shape = Sequence[int | str]


def scaled_onnx(factor: float = 2.0, shape: Shape = (1, 4)) -> bytes:
    """``y = factor * x`` in float32."""
    nodes = [helper.make_node("Mul", ["x", "factor"], ["y"], name="scale")]
    return _model(nodes, [numpy_helper.from_array(np.array(factor, np.float32), "factor")], shape)


def half_onnx() -> bytes:
    """``y = x + x`` in float16, between float32 and float32."""
    nodes = [
        helper.make_node("Cast", ["x"], ["half"], name="to_half", to=TensorProto.FLOAT16),
        helper.make_node("Add", ["half", "half"], ["twice"], name="add"),
        helper.make_node("Cast", ["twice"], ["y"], name="from_half", to=TensorProto.FLOAT),
    ]
    return _model(nodes, [])


def int8_onnx(zero_point: int = 0) -> bytes:
    """``x`` through int8 in steps of 0.1."""
    constants = [
        numpy_helper.from_array(np.array(0.1, np.float32), "scale"),
        numpy_helper.from_array(np.array(zero_point, np.int8), "zero_point"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero_point"], ["q"], name="to_int8"),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero_point"], ["y"], name="from_int8"),
    ]
    return _model(nodes, constants)


def mixed_onnx() -> bytes:
    """A sum in int8, one in float16, and one in float32, which needs it."""
    constants = [
        numpy_helper.from_array(np.array(0.5, np.float32), "scale"),
        numpy_helper.from_array(np.array(0, np.int8), "zero_point"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero_point"], ["q"], name="to_int8"),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero_point"], ["d"], name="from_int8"),
        helper.make_node("Add", ["d", "d"], ["in_int8"], name="add_int8"),
        helper.make_node("Cast", ["in_int8"], ["half"], name="to_half", to=TensorProto.FLOAT16),
        helper.make_node("Add", ["half", "half"], ["in_half"], name="add_half"),
        helper.make_node("Cast", ["in_half"], ["single"], name="from_half", to=TensorProto.FLOAT),
        helper.make_node("Add", ["single", "single"], ["y"], name="add_float32"),
    ]
    return _model(nodes, constants)


def unknown_onnx() -> bytes:
    """An operator that no TensorRT knows."""
    return _model([helper.make_node("MelWeightMatrix", ["x"] * 5, ["y"], name="mel")], [])


def boxes_onnx() -> bytes:
    """Non-maximum suppression: how many boxes are left depends on what is in ``boxes`` and ``scores``."""
    constants = [
        numpy_helper.from_array(np.array([3], np.int64), "most"),
        numpy_helper.from_array(np.array([0.5], np.float32), "overlap"),
        numpy_helper.from_array(np.array([0.3], np.float32), "threshold"),
    ]
    inputs = ["boxes", "scores", "most", "overlap", "threshold"]
    nodes = [helper.make_node("NonMaxSuppression", inputs, ["kept"], name="nms")]
    graph = helper.make_graph(
        nodes,
        "boxes",
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 3, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, 3]),
        ],
        [helper.make_tensor_value_info("kept", TensorProto.INT64, ["n", 3])],
        constants,
    )
    return _serialized(graph)


def deep_onnx(layers: int) -> bytes:
    """Convolutions in a row: each takes a builder some milliseconds."""
    rng = np.random.default_rng(0)
    nodes, constants, last = [], [], "x"
    for index in range(layers):
        weights = (rng.standard_normal((16, 16, 3, 3)) * 0.05).astype(np.float32)
        constants.append(numpy_helper.from_array(weights, f"w{index}"))
        nodes.append(helper.make_node("Conv", [last, f"w{index}"], [f"c{index}"], pads=[1, 1, 1, 1]))
        last = f"r{index}" if index < layers - 1 else "y"
        nodes.append(helper.make_node("Relu", [f"c{index}"], [last]))
    return _model(nodes, constants, (1, 16, 32, 32))


def _model(nodes: list[NodeProto], constants: list[TensorProto], shape: Shape = (1, 4)) -> bytes:
    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    given = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    return _serialized(helper.make_graph(nodes, "model", [taken], [given], constants))


def _serialized(graph: onnx.GraphProto) -> bytes:
    opset = helper.make_opsetid("", 17)
    return bytes(helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString())
