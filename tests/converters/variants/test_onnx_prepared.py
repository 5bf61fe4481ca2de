"""ONNX from anywhere becomes one form from which other precisions are made."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_nets import INPUT, SHAPE, answers, onnx_model, pictures, residual_net

from converters.variants.onnx_opset import OPSET, opset_of
from converters.variants.onnx_prepared import prepare_onnx
from edge_sdk.errors import ConversionError


def test_it_answers_as_before_by_the_same_names() -> None:
    given = residual_net()
    prepared = prepare_onnx(given, INPUT, SHAPE)
    assert prepared.output_names == ("scores",)
    samples = pictures(4)
    np.testing.assert_allclose(answers(prepared.content, samples), answers(given, samples), atol=1e-6)


def test_zeros_before_a_maximum_stay_zeros() -> None:
    """ONNX Runtime would take them for the maximum's own padding, which never wins."""
    pads = numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "pads")
    nodes = [
        helper.make_node("Pad", [INPUT, "pads"], ["padded"]),
        helper.make_node("MaxPool", ["padded"], ["y"], kernel_shape=[2, 2], strides=[2, 2]),
    ]
    prepared = prepare_onnx(onnx_model(nodes, [pads]), INPUT, SHAPE)
    (below_zero,) = answers(prepared.content, [np.full(SHAPE, -3, np.float32)])
    assert below_zero[0, 0, 0, 0] == 0


def test_an_open_batch_is_fixed_to_1() -> None:
    model = prepare_onnx(residual_net(batch="n"), INPUT, SHAPE).load()
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_value == 1


@pytest.mark.parametrize(("given", "written"), [(11, OPSET), (13, 13), (17, 17), (18, OPSET), (20, OPSET)])
def test_operator_sets_without_scales_by_channel_or_newer_than_tensorrt_8_6_are_settled(
    given: int, written: int
) -> None:
    assert opset_of(prepare_onnx(residual_net(opset=given), INPUT, SHAPE).load()) == written


def test_a_newer_operator_set_keeps_what_has_no_way_back() -> None:
    nodes = [helper.make_node("Gelu", [INPUT], ["y"])]  # came with 20
    given = onnx_model(nodes, [], opset=20)
    prepared = prepare_onnx(given, INPUT, SHAPE)
    assert opset_of(prepared.load()) == 20
    samples = pictures(2)
    np.testing.assert_allclose(answers(prepared.content, samples), answers(given, samples), atol=1e-6)


def test_reductions_are_brought_back_with_their_axes() -> None:
    axes = [numpy_helper.from_array(np.array([2, 3], np.int64), "axes")]
    nodes = [helper.make_node("ReduceMean", [INPUT, "axes"], ["y"], keepdims=0)]
    given = onnx_model(nodes, axes, opset=18)
    prepared = prepare_onnx(given, INPUT, SHAPE)
    assert opset_of(prepared.load()) == OPSET
    samples = pictures(2)
    np.testing.assert_allclose(answers(prepared.content, samples), answers(given, samples), atol=1e-6)


def test_a_normalisation_is_folded_into_the_layer_before_it() -> None:
    random = np.random.default_rng(3)
    constants = [
        numpy_helper.from_array(random.normal(size=(4, 3, 1, 1)).astype(np.float32), "w"),
        *(
            numpy_helper.from_array(random.uniform(0.5, 2.0, 4).astype(np.float32), name)
            for name in ("scale", "bias", "mean", "variance")
        ),
    ]
    nodes = [
        helper.make_node("Conv", [INPUT, "w"], ["c"]),
        helper.make_node("BatchNormalization", ["c", "scale", "bias", "mean", "variance"], ["y"]),
    ]
    given = onnx_model(nodes, constants)
    prepared = prepare_onnx(given, INPUT, SHAPE)
    assert [node.op_type for node in prepared.load().graph.node] == ["Conv"]
    samples = pictures(2)
    np.testing.assert_allclose(answers(prepared.content, samples), answers(given, samples), atol=1e-5)


def test_constants_that_old_files_list_as_inputs_are_none() -> None:
    model = onnx.load_from_string(residual_net())
    for tensor in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, tensor.dims))
    prepared = prepare_onnx(model.SerializeToString(), INPUT, SHAPE)
    assert [value.name for value in prepared.load().graph.input] == [INPUT]


def test_the_same_model_gives_the_same_bytes_and_imports_no_foreign_operators() -> None:
    once, again = (prepare_onnx(residual_net(), INPUT, SHAPE) for _ in range(2))
    assert once.content == again.content
    assert [entry.domain for entry in once.load().opset_import] == [""]


def test_a_quantized_model_is_refused() -> None:
    constants = [numpy_helper.from_array(np.array(0.1, np.float32), "scale")]
    nodes = [
        helper.make_node("QuantizeLinear", [INPUT, "scale"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale"], ["y"]),
    ]
    with pytest.raises(ConversionError, match="quantized already: it has DequantizeLinear, QuantizeLinear"):
        prepare_onnx(onnx_model(nodes, constants), INPUT, SHAPE)


def test_a_second_input_is_refused_by_name() -> None:
    model = onnx.load_from_string(residual_net())
    model.graph.input.append(helper.make_tensor_value_info("size", TensorProto.FLOAT, [2]))
    with pytest.raises(ConversionError, match="'picture', 'size'"):
        prepare_onnx(model.SerializeToString(), INPUT, SHAPE)
