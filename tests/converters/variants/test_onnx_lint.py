"""The lint finds each kind of wrong pair, by node, and nothing in what is made here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_nets import INPUT, SHAPE, onnx_model, pictures, residual_net

from converters.report.lint_finding import RULES, LintFinding, describe_findings
from converters.variants.onnx_float16 import convert_float16
from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_lint import lint_onnx
from converters.variants.onnx_prepared import prepare_onnx
from edge_sdk.contract.values import Float32Array


@pytest.fixture(scope="module")
def int8() -> bytes:
    calibration: Callable[[], Iterable[Float32Array]] = lambda: iter(pictures(10))  # noqa: E731
    return OnnxQuantizer(
        prepare_onnx(residual_net(), INPUT, SHAPE), calibration, heads_in_float=False
    ).quantize()


def changed(content: bytes, change: Callable[[Any], None]) -> list[LintFinding]:
    model = onnx.load_from_string(content)
    change(model.graph)
    return lint_onnx(model.SerializeToString())


def rules(findings: list[LintFinding]) -> set[str]:
    return {finding.rule for finding in findings}


def first(graph: Any, operator: str) -> Any:
    return next(node for node in graph.node if node.op_type == operator)


def maker(graph: Any, name: str) -> Any:
    return next(node for node in graph.node if name in node.output)


def set_constant(graph: Any, name: str, value: Any) -> None:
    tensor = next(tensor for tensor in graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.asarray(value), name))


def test_what_is_made_here_has_no_findings(int8: bytes) -> None:
    assert lint_onnx(int8) == []
    prepared = prepare_onnx(residual_net(), INPUT, SHAPE)
    assert lint_onnx(prepared.content) == []
    assert lint_onnx(convert_float16(prepared, pictures(2)).content) == []


def test_a_zero_point_is_found_by_node(int8: bytes) -> None:
    def shift(graph: Any) -> None:
        node = first(graph, "QuantizeLinear")
        node.name = "shifted"
        set_constant(graph, node.input[2], np.int8(3))

    found = changed(int8, shift)
    assert (
        LintFinding(rule="zero-point", operator="QuantizeLinear", node="shifted", what="its zero point is 3")
        in found
    )


def test_unsigned_pairs_are_found_also_where_the_type_is_only_implied(int8: bytes) -> None:
    def unsigned(graph: Any) -> None:
        set_constant(graph, first(graph, "QuantizeLinear").input[2], np.uint8(0))

    def implied(graph: Any) -> None:
        del first(graph, "QuantizeLinear").input[2:]

    for change in (unsigned, implied):
        assert "unsigned" in rules(changed(int8, change))


@pytest.mark.parametrize("scale", [0.0, -0.1, np.nan])
def test_scales_that_are_not_above_0_are_found(int8: bytes, scale: float) -> None:
    found = changed(
        int8, lambda graph: set_constant(graph, first(graph, "QuantizeLinear").input[1], np.float32(scale))
    )
    assert "scale" in rules(found)


def test_a_computed_scale_is_found(int8: bytes) -> None:
    def compute(graph: Any) -> None:
        graph.node.insert(0, helper.make_node("ReduceMax", [INPUT], ["computed"], keepdims=0))
        first(graph, "QuantizeLinear").input[1] = "computed"

    assert "scale" in rules(changed(int8, compute))


def test_weights_with_one_scale_are_found(int8: bytes) -> None:
    def coarsen(graph: Any) -> None:
        dequantizer = maker(graph, first(graph, "Conv").input[1])
        for node in (dequantizer, maker(graph, dequantizer.input[0])):
            set_constant(graph, node.input[1], np.float32(0.1))
            set_constant(graph, node.input[2], np.int8(0))

    found = changed(int8, coarsen)
    assert [(item.rule, item.operator, item.what) for item in found] == [
        ("per-tensor-weight", "Conv", "8 channels")
    ]


def test_scales_along_another_axis_are_found(int8: bytes) -> None:
    def turn(graph: Any) -> None:
        dequantizer = maker(graph, first(graph, "Conv").input[1])
        for node in (dequantizer, maker(graph, dequantizer.input[0])):
            next(item for item in node.attribute if item.name == "axis").i = 1

    assert rules(changed(int8, turn)) == {"weight-axis"}


def test_weights_that_are_int8_in_the_file_are_found(int8: bytes) -> None:
    def store(graph: Any) -> None:
        dequantizer = maker(graph, first(graph, "Conv").input[1])
        quantizer = maker(graph, dequantizer.input[0])
        set_constant(graph, quantizer.input[0], np.zeros((8, 3, 3, 3), np.int8))
        dequantizer.input[0] = quantizer.input[0]
        graph.node.remove(quantizer)

    assert rules(changed(int8, store)) == {"int8-weight"}


@pytest.mark.parametrize("position", [0, 1])
def test_a_layer_with_one_side_in_float_is_found(int8: bytes, position: int) -> None:
    def unpair(graph: Any) -> None:
        layer = first(graph, "Conv")
        dequantizer = maker(graph, layer.input[position])
        quantizer = maker(graph, dequantizer.input[0])
        layer.input[position] = quantizer.input[0]
        graph.node.remove(dequantizer)
        graph.node.remove(quantizer)

    assert "half-quantized" in rules(changed(int8, unpair))


def test_a_residual_sum_in_float_is_found(int8: bytes) -> None:
    def unpair(graph: Any) -> None:
        node = first(graph, "Add")
        for position, name in enumerate(node.input):
            dequantizer = maker(graph, name)
            if dequantizer.op_type == "DequantizeLinear":
                quantizer = maker(graph, dequantizer.input[0])
                node.input[position] = quantizer.input[0]
                graph.node.remove(dequantizer)
                graph.node.remove(quantizer)

    assert rules(changed(int8, unpair)) == {"residual-float"}


def test_half_a_pair_is_found(int8: bytes) -> None:
    def give(graph: Any) -> None:
        made = first(graph, "QuantizeLinear").output[0]
        graph.output.append(helper.make_tensor_value_info(made, TensorProto.INT8, None))

    def take(graph: Any) -> None:
        dequantizer = first(graph, "DequantizeLinear")
        graph.node.insert(0, helper.make_node("Cast", [INPUT], ["plain"], to=TensorProto.INT8))
        dequantizer.input[0] = "plain"

    assert "lone-quantize" in rules(changed(int8, give))
    assert {"lone-quantize", "lone-dequantize"} <= rules(changed(int8, take))


def test_two_scales_in_one_pair_are_found(int8: bytes) -> None:
    def widen(graph: Any) -> None:
        graph.initializer.append(numpy_helper.from_array(np.array(9.0, np.float32), "other"))
        first(graph, "DequantizeLinear").input[1] = "other"

    assert "pair-scales" in rules(changed(int8, widen))


def test_a_bias_in_int32_is_found(int8: bytes) -> None:
    def store(graph: Any) -> None:
        graph.initializer.extend(
            [
                numpy_helper.from_array(np.ones(8, np.int32), "bias32"),
                numpy_helper.from_array(np.full(8, 0.1, np.float32), "bias32 scale"),
            ]
        )
        graph.node.insert(
            0, helper.make_node("DequantizeLinear", ["bias32", "bias32 scale"], ["bias"], axis=0)
        )
        first(graph, "Conv").input[2] = "bias"

    assert rules(changed(int8, store)) == {"element-type"}


def test_pairs_before_what_is_computed_in_float_are_found() -> None:
    constants = [
        numpy_helper.from_array(np.array(0.1, np.float32), "scale"),
        numpy_helper.from_array(np.array(0, np.int8), "zero"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", [INPUT, "scale", "zero"], ["q"]),
        helper.make_node("MaxPool", ["q"], ["pooled"], kernel_shape=[2, 2]),
        helper.make_node("DequantizeLinear", ["pooled", "scale", "zero"], ["d"]),
        helper.make_node("Softmax", ["d"], ["y"]),
    ]
    found = lint_onnx(onnx_model(nodes, constants))
    assert [(item.rule, item.operator) for item in found] == [("misplaced", "Softmax")]


def test_operators_of_other_schemes_are_found() -> None:
    nodes = [
        helper.make_node("DynamicQuantizeLinear", [INPUT], ["q", "scale", "zero"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"]),
    ]
    assert {"integer-operator", "lone-dequantize"} <= rules(lint_onnx(onnx_model(nodes, [])))


def test_operator_sets_that_are_too_old_or_too_new_are_found(int8: bytes) -> None:
    for opset, rule in ((11, "opset-old"), (18, "opset-new")):
        model = onnx.load_from_string(int8)
        model.opset_import[0].version = opset
        assert rule in rules(lint_onnx(model.SerializeToString()))


def test_findings_are_told_one_line_a_rule() -> None:
    found = [LintFinding(rule="misplaced", operator="Exp", node=f"e{index}") for index in range(5)]
    found.insert(1, LintFinding(rule="opset-new", what="operator set 18"))
    lines = describe_findings(found)
    assert lines == [
        f"opset-new: operator set 18 ({RULES['opset-new']})",
        f"misplaced: Exp 'e0'; Exp 'e1'; Exp 'e2'; and 2 more ({RULES['misplaced']})",
    ]
