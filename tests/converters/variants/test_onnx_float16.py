"""ONNX in float16: what becomes float16, what does not, and what is judged in its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_nets import INPUT, SHAPE, answers, onnx_model, pictures, relative_error, residual_net

from converters.variants.onnx_float16 import Float16Model, convert_float16
from converters.variants.onnx_prepared import prepare_onnx
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import ConversionError


def converted(content: bytes, samples: list[Float32Array] | None = None) -> Float16Model:
    return convert_float16(prepare_onnx(content, INPUT, SHAPE), samples or pictures(4))


def element_types(content: bytes) -> dict[str, int]:
    """Of each operation's first output, by the operation's name; constants by theirs."""
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(content))
    graph = model.graph
    typed = {value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.output)}
    return {node.op_type: typed[node.output[0]] for node in graph.node if node.op_type != "Cast"}


def weights(*shape: int) -> Any:
    return numpy_helper.from_array(np.random.default_rng(5).normal(size=shape).astype(np.float32), "w")


def test_it_takes_and_gives_float32_and_halves_the_file() -> None:
    half = converted(residual_net())
    graph = onnx.load_from_string(half.content).graph
    ends = (*graph.input, *graph.output)
    assert {value.type.tensor_type.elem_type for value in ends} == {TensorProto.FLOAT}
    assert {tensor.data_type for tensor in graph.initializer} == {TensorProto.FLOAT16}
    assert len(half.content) < 0.7 * len(residual_net())
    onnx.checker.check_model(half.content, full_check=True)


def test_it_answers_nearly_as_float32_does() -> None:
    samples, given = pictures(8, seed=2), residual_net()
    half = converted(given)
    for content in (half.content, half.rounded):
        assert 0 < relative_error(answers(given, samples), answers(content, samples)) < 5e-3


def test_layers_are_float16_and_means_and_the_decoding_of_the_output_are_not() -> None:
    types = element_types(converted(residual_net()).content)
    half = {name for name, kind in types.items() if kind == TensorProto.FLOAT16}
    assert half == {"Conv", "Relu", "Add", "Flatten", "Gemm"}
    assert types["GlobalAveragePool"] == types["Sigmoid"] == TensorProto.FLOAT


def test_the_preparation_of_the_input_stays_in_float32() -> None:
    scale = numpy_helper.from_array(np.array(1e-3, np.float32), "scale")
    nodes = [
        helper.make_node("Mul", [INPUT, "scale"], ["scaled"]),
        helper.make_node("Conv", ["scaled", "w"], ["y"]),
    ]
    types = element_types(converted(onnx_model(nodes, [scale, weights(4, 3, 1, 1)])).content)
    assert types == {"Mul": TensorProto.FLOAT, "Conv": TensorProto.FLOAT16}


def test_what_gets_too_large_for_float16_on_real_samples_stays_in_float32_and_is_named() -> None:
    big = numpy_helper.from_array(np.array(1e4, np.float32), "big")
    nodes = [
        helper.make_node("Conv", [INPUT, "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["positive"]),
        helper.make_node("Mul", ["positive", "big"], ["b"]),
        helper.make_node("Div", ["b", "big"], ["c"]),
        helper.make_node("Conv", ["c", "w2"], ["y"]),
    ]
    random = np.random.default_rng(6)
    second = numpy_helper.from_array(random.normal(size=(2, 4, 1, 1)).astype(np.float32), "w2")
    half = converted(onnx_model(nodes, [weights(4, 3, 1, 1), big, second]))
    types = element_types(half.content)
    assert (types["Mul"], types["Div"]) == (TensorProto.FLOAT, TensorProto.FLOAT)
    assert types["Conv"] == TensorProto.FLOAT16
    assert [name.partition("_")[0] for name in half.outliers] == ["Mul", "Div"]
    assert np.isfinite(answers(half.rounded, pictures(3))).all()


def test_what_is_judged_rounds_where_a_cpu_does_not() -> None:
    half, samples = converted(residual_net()), pictures(3)
    assert not np.array_equal(answers(half.content, samples), answers(half.rounded, samples))
    graph = onnx.load_from_string(half.rounded).graph
    assert {tensor.data_type for tensor in graph.initializer} == {TensorProto.FLOAT}
    casts = [node.attribute[0].i for node in graph.node if node.op_type == "Cast"]
    assert casts.count(TensorProto.FLOAT16) == casts.count(TensorProto.FLOAT) > 10


def test_sizes_that_onnx_wants_in_float32_stay_so() -> None:
    sizes = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "sizes")
    random = np.random.default_rng(6)
    second = numpy_helper.from_array(random.normal(size=(2, 4, 1, 1)).astype(np.float32), "w2")
    nodes = [
        helper.make_node("Conv", [INPUT, "w"], ["a"]),
        helper.make_node("Resize", ["a", "", "sizes"], ["b"], mode="nearest"),
        helper.make_node("Conv", ["b", "w2"], ["y"]),
    ]
    half = converted(onnx_model(nodes, [weights(4, 3, 1, 1), sizes, second]))
    onnx.checker.check_model(half.content, full_check=True)
    assert element_types(half.content)["Resize"] == TensorProto.FLOAT16


def test_the_same_model_gives_the_same_bytes() -> None:
    assert converted(residual_net()) == converted(residual_net())


def test_a_model_without_a_layer_is_refused() -> None:
    with pytest.raises(ConversionError, match="float16"):
        converted(onnx_model([helper.make_node("Relu", [INPUT], ["y"])], []))
