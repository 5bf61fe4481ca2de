"""What ONNX Runtime makes of a graph before it runs it must not change the answer."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from edge_sdk.inference.open import open_backend


def zeros_around_a_maximum() -> bytes:
    """Zeros around the picture, then the largest value of each 2 x 2."""
    constants = [helper.make_tensor("pads", TensorProto.INT64, [8], [0, 0, 1, 1, 0, 0, 1, 1])]
    nodes = [
        helper.make_node("Pad", ["picture", "pads"], ["padded"]),
        helper.make_node("MaxPool", ["padded"], ["largest"], kernel_shape=[2, 2], strides=[2, 2]),
    ]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 1, 2, 2])
    largest = helper.make_tensor_value_info("largest", TensorProto.FLOAT, [1, 1, 2, 2])
    graph = helper.make_graph(nodes, "edges", [picture], [largest], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = onnx.ModelProto.SerializeToString(model)
    return content


def test_zeros_before_a_maximum_stay_zeros() -> None:
    below_zero = np.full((1, 1, 2, 2), -3, dtype=np.float32)
    with open_backend(zeros_around_a_maximum(), "onnx") as backend:
        answer = backend.infer({"picture": below_zero})["largest"]
    np.testing.assert_array_equal(answer, np.zeros((1, 1, 2, 2), dtype=np.float32))
