"""ONNX in int8: symmetric Q/DQ pairs where TensorRT wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_nets import INPUT, SHAPE, answers, onnx_model, pictures, relative_error, residual_net

from converters.variants.made import Materials
from converters.variants.onnx_graph import OnnxGraph
from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_operations import read_onnx_operations
from converters.variants.onnx_prepared import prepare_onnx
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import ConversionError


def quantizer(content: bytes, n: int = 40, *, heads_in_float: bool = False) -> OnnxQuantizer:
    calibration: Callable[[], Iterable[Float32Array]] = lambda: iter(pictures(n))  # noqa: E731
    return OnnxQuantizer(prepare_onnx(content, INPUT, SHAPE), calibration, heads_in_float=heads_in_float)


@pytest.fixture(scope="module")
def int8() -> bytes:
    return quantizer(residual_net()).quantize()


def graph_of(content: bytes) -> OnnxGraph:
    return OnnxGraph(onnx.load_from_string(content))


def dequantized(graph: OnnxGraph, node: Any, position: int) -> Any:
    """The QuantizeLinear behind one input of a node; None where it is float."""
    made = graph.made_by.get(node.input[position])
    if made is None or made.op_type != "DequantizeLinear":
        return None
    quantized = graph.made_by[made.input[0]]
    assert quantized.op_type == "QuantizeLinear"
    return quantized


def test_it_answers_nearly_as_float_does_on_pictures_it_was_not_calibrated_on(int8: bytes) -> None:
    unseen = pictures(30, seed=9)
    assert relative_error(answers(residual_net(), unseen), answers(int8, unseen)) < 0.02


def test_every_zero_point_is_0_and_of_int8(int8: bytes) -> None:
    graph = graph_of(int8)
    pairs = [node for node in graph.nodes if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert pairs
    for node in pairs:
        zero = numpy_helper.to_array(graph.constants[node.input[2]])
        assert zero.dtype == np.int8
        assert not zero.any()


def test_layers_have_both_inputs_quantized_and_their_outputs_not(int8: bytes) -> None:
    graph = graph_of(int8)
    layers = [node for node in graph.nodes if node.op_type in ("Conv", "Gemm")]
    assert len(layers) == 6
    for node in layers[:-1]:
        assert dequantized(graph, node, 0) is not None
        assert dequantized(graph, node, 1) is not None
        assert [reader.node.op_type for reader in graph.read_by[node.output[0]]] != ["QuantizeLinear"]


def test_weights_stay_float32_and_have_a_scale_by_output_channel(int8: bytes) -> None:
    graph = graph_of(int8)
    for node in graph.nodes:
        quantized = dequantized(graph, node, 1) if node.op_type in ("Conv", "Gemm") else None
        if quantized is not None:
            weight = graph.constants[quantized.input[0]]
            assert weight.data_type == TensorProto.FLOAT
            assert list(graph.constants[quantized.input[1]].dims) == [weight.dims[0]]


def test_of_a_residual_sum_the_side_that_skips_the_layer_is_quantized(int8: bytes) -> None:
    graph = graph_of(int8)
    (node,) = [node for node in graph.nodes if node.op_type == "Add"]
    sides = {graph.made_by[name].op_type for name in node.input}
    assert sides == {"Conv", "DequantizeLinear"}


def test_light_last_layers_stay_float_and_heavy_ones_only_where_they_must() -> None:
    def last_is_float(**options: Any) -> bool:
        heads_in_float = options.pop("heads_in_float", False)
        made = quantizer(residual_net(**options), heads_in_float=heads_in_float).quantize()
        return [item for item in read_onnx_operations(made) if item.is_layer][-1].is_float

    assert last_is_float()
    assert not last_is_float(n_outputs=200)
    assert last_is_float(n_outputs=200, heads_in_float=True)


def test_no_pair_is_shared_between_readers(int8: bytes) -> None:
    graph = graph_of(int8)
    for node in graph.nodes:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            assert len(graph.read_by[node.output[0]]) == 1


def test_what_rounded_weights_add_to_the_mean_is_taken_out_of_the_bias() -> None:
    random = np.random.default_rng(8)
    weight = random.normal(size=(2, 3, 1, 1)).astype(np.float32)
    weight[:, 0] = 10.0  # the others have few steps left
    constants = [
        numpy_helper.from_array(weight, "w"),
        numpy_helper.from_array(random.normal(size=(64, 2, 1, 1)).astype(np.float32), "w2"),
    ]
    nodes = [
        helper.make_node("Conv", [INPUT, "w"], ["a"], name="first"),
        helper.make_node("Conv", ["a", "w2"], ["y"], name="second"),
    ]
    shifted = [
        picture + np.array([0.0, 40.0, -25.0], np.float32).reshape(3, 1, 1) for picture in pictures(30)
    ]
    prepared = prepare_onnx(onnx_model(nodes, constants), INPUT, SHAPE)
    made = OnnxQuantizer(prepared, lambda: iter(shifted), heads_in_float=False).quantize(("Conv_1",))
    wanted, given = (
        answers(content, shifted).mean(axis=(0, 1, 3, 4)) for content in (prepared.content, made)
    )
    plain = _without_bias(made)
    uncorrected = answers(plain, shifted).mean(axis=(0, 1, 3, 4))
    assert np.abs(given - wanted).max() < 0.2 * np.abs(uncorrected - wanted).max()


def _without_bias(content: bytes) -> bytes:
    model = onnx.load_from_string(content)
    for node in model.graph.node:
        if node.op_type == "Conv":
            del node.input[2:]
    return bytes(model.SerializeToString())


def test_calibration_is_gone_through_at_most_twice_and_the_same_gives_the_same_bytes() -> None:
    times = 0

    def calibration() -> Iterable[Float32Array]:
        nonlocal times
        times += 1
        yield from pictures(20)

    made = OnnxQuantizer(prepare_onnx(residual_net(), INPUT, SHAPE), calibration, heads_in_float=False)
    assert made.quantize() == made.quantize() == quantizer(residual_net(), 20).quantize()
    assert times <= 2


def test_layers_that_are_named_stay_in_float(int8: bytes) -> None:
    made = quantizer(residual_net())
    first = next(item.name for item in made.operations if item.is_layer)
    layers = [item.is_float for item in read_onnx_operations(made.quantize((first,))) if item.is_layer]
    assert layers == [True, False, False, False, False, True]
    assert not next(item.is_float for item in read_onnx_operations(int8) if item.is_layer)


def test_a_channel_that_is_always_0_does_no_harm() -> None:
    model = onnx.load_from_string(residual_net())
    for tensor in model.graph.initializer:
        if tensor.name in ("w0", "b0"):
            values = numpy_helper.to_array(tensor).copy()
            values[2] = 0
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    made = quantizer(model.SerializeToString()).quantize()
    assert np.isfinite(answers(made, pictures(3))).all()


def test_a_model_whose_only_layer_is_light_enough_to_stay_float_is_refused() -> None:
    nodes = [helper.make_node("Relu", [INPUT], ["y"])]
    with pytest.raises(ConversionError, match="no layer"):
        quantizer(onnx_model(nodes, []))


def test_without_calibration_there_is_no_int8() -> None:
    class Source:
        """A model that was given as ONNX."""

    with pytest.raises(ConversionError, match="calibration"):
        _ = Materials(Source()).required_calibration  # type: ignore[arg-type]
