"""A quantized model without its rounding is the same model: its ranges stay, or it is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_nets import INPUT, answers, onnx_model

from converters.variants.onnx_dequantized import dequantize_onnx
from edge_sdk.contract.values import Array, Float32Array
from edge_sdk.errors import ConversionError
from edge_sdk.inference.open import open_backend

SHAPE = (1, 1, 1, 4)
VALUES: Float32Array = np.array([[[[-5.0, 2.0, 5.0, 20.0]]]], dtype=np.float32)
ENDS: dict[str, Array] = {"low": np.array(0, np.float32), "high": np.array(6, np.float32)}


def quantize(source: str, target: str, scale: str = "s") -> Any:
    return helper.make_node("QuantizeLinear", [source, scale, "z"], [target])


def dequantize(source: str, target: str, scale: str = "s") -> Any:
    return helper.make_node("DequantizeLinear", [source, scale, "z"], [target])


def model(nodes: list[Any], scale: float, zero_point: int = 0, more: dict[str, Array] | None = None) -> bytes:
    """Of nodes whose steps are ``s`` and ``z``."""
    constants: dict[str, Array] = {
        "s": np.array(scale, np.float32),
        "z": np.array(zero_point, np.uint8),
        "w": np.ones((1, 1, 1, 1), np.float32),
    }
    used = {name for node in nodes for name in node.input}
    tensors = [
        numpy_helper.from_array(value, name)
        for name, value in (constants | (more or {})).items()
        if name in used
    ]
    return onnx_model(nodes, tensors, shape=SHAPE)


def operations(content: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_from_string(content).graph.node]


@pytest.mark.parametrize(
    ("zero_point", "kept"), [(0, [0, 2, 5, 6]), (128, [-3.012, 2, 2.988, 2.988])], ids=["ReLU6", "both ends"]
)
def test_an_activation_that_is_only_in_the_range_of_the_integers_stays(
    zero_point: int, kept: list[float]
) -> None:
    nodes = [helper.make_node("Conv", [INPUT, "w"], ["c"]), quantize("c", "q"), dequantize("q", "y")]
    quantized = model(nodes, 6 / 255, zero_point)
    plain = dequantize_onnx(quantized)
    assert operations(plain) == ["Conv", "Clip"]
    np.testing.assert_allclose(answers(plain, [VALUES]).reshape(-1), kept, atol=1e-3)
    np.testing.assert_allclose(answers(plain, [VALUES]), answers(quantized, [VALUES]), atol=0.013)


def test_what_lies_in_the_range_anyway_is_not_cut_off_again() -> None:
    """ReLU6 that is there, what moves its values, and a second pair of the same steps."""
    nodes = [
        helper.make_node("Clip", [INPUT, "low", "high"], ["c"]),
        *(quantize("c", "q0"), dequantize("q0", "f0")),
        helper.make_node("MaxPool", ["f0"], ["p"], kernel_shape=[1, 1]),
        *(quantize("p", "q1"), dequantize("q1", "y")),
    ]
    plain = dequantize_onnx(model(nodes, 6 / 255, more=ENDS))
    assert operations(plain) == ["Clip", "MaxPool"]
    assert answers(plain, [VALUES]).reshape(-1).tolist() == [0, 2, 5, 6]


def test_integers_that_are_moved_stand_for_values_that_are() -> None:
    nodes = [
        quantize(INPUT, "q"),
        helper.make_node("Concat", ["q", "q"], ["both"], axis=3),
        dequantize("both", "y"),
    ]
    plain = dequantize_onnx(model(nodes, 0.1))
    assert operations(plain) == ["Clip", "Concat"]
    assert answers(plain, [VALUES]).reshape(-1).tolist() == [0, 2, 5, 20] * 2


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        (
            [helper.make_node("Gather", ["table", "index"], ["g"]), dequantize("g", "y")],
            "DequantizeLinear of 'y' reads integers that no QuantizeLinear of the same scale made",
        ),
        (
            [
                quantize(INPUT, "q"),
                helper.make_node("Concat", ["q", "table"], ["c"], axis=3),
                dequantize("c", "y"),
            ],
            "Concat joins integers of other scales",
        ),
        (
            [
                *(quantize(INPUT, "q"), quantize(INPUT, "r", "other")),
                helper.make_node("Concat", ["q", "r"], ["c"], axis=3),
                dequantize("c", "y"),
            ],
            "Concat joins integers of other scales",
        ),
        (
            [quantize(INPUT, "q"), dequantize("q", "y", "other")],
            "DequantizeLinear of 'y' reads integers that no QuantizeLinear of the same scale made",
        ),
    ],
    ids=["table", "constant joined", "scales joined", "read by another scale"],
)
def test_integers_from_elsewhere_are_refused_by_what_reads_them(nodes: list[Any], told: str) -> None:
    more: dict[str, Array] = {
        "table": np.full((1, 1, 1, 2), 64, np.uint8),
        "index": np.array([0], np.int64),
        "other": np.array(0.7, np.float32),
    }
    with pytest.raises(ConversionError, match=told):
        dequantize_onnx(model(nodes, 0.1, more=more))


def test_an_input_of_integers_is_refused() -> None:
    content = onnx.load_from_string(model([dequantize(INPUT, "y")], 0.1))
    content.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    with pytest.raises(ConversionError, match="'y' reads integers that no QuantizeLinear"):
        dequantize_onnx(content.SerializeToString())


def test_outputs_before_and_behind_a_pair_keep_their_names() -> None:
    nodes = [
        helper.make_node("Clip", [INPUT, "low", "high"], ["a"]),
        *(quantize("a", "q"), dequantize("q", "y"), dequantize("q", "again")),
    ]
    content = onnx.load_from_string(model(nodes, 6 / 255, more=ENDS))
    del content.graph.output[:]
    for name in ("a", "y", "again"):
        content.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE))
    plain = dequantize_onnx(content.SerializeToString())
    with open_backend(plain, "onnx", reference_kernels=True) as backend:
        given = backend.infer({INPUT: VALUES})
        assert list(given) == ["a", "y", "again"]
        assert all(value.reshape(-1).tolist() == [0, 2, 5, 6] for value in given.values())
