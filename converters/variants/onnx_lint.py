"""Where the Q/DQ pairs of an ONNX model are missing, misplaced or of a kind that TensorRT does not take.

The structure alone is looked at; what the model answers is another matter. Most of what is found here
runs in ONNX Runtime all the same, which takes more kinds of pairs than TensorRT.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..report.lint_finding import LintFinding
from .onnx_graph import DEQUANTIZE, INTEGER_OPERATORS, LAYERS, QUANTIZE, OnnxGraph, attribute_of
from .onnx_layers import weight_axis
from .onnx_lint_pairs import lint_pairs
from .onnx_opset import BY_CHANNEL, OPSET, opset_of

__all__ = ["lint_onnx"]

_IN_FLOAT = (
    *("Softmax", "LogSoftmax", "LayerNormalization", "InstanceNormalization", "GroupNormalization"),
    *("Exp", "Log", "Pow", "Sqrt", "Erf", "ReduceMean", "ReduceSum", "NonMaxSuppression"),
)


def lint_onnx(content: bytes) -> list[LintFinding]:
    """What to mind before TensorRT sees a model.

    Args:
        content: Any ONNX model; of one in float only the operator set is looked at.
    """
    import onnx

    model = onnx.load_from_string(content)
    graph = OnnxGraph(model)
    return [
        *_lint_opset(model, graph),
        *_lint_operators(graph),
        *lint_pairs(graph),
        *_lint_layers(graph),
        *_lint_sums(graph),
        *_lint_places(graph),
    ]


def _lint_opset(model: Any, graph: OnnxGraph) -> Iterator[LintFinding]:
    opset = opset_of(model)
    by_channel = any(
        node.op_type in (QUANTIZE, DEQUANTIZE) and _scale_count(graph, node) > 1 for node in graph.nodes
    )
    if opset < BY_CHANNEL and by_channel:
        yield LintFinding(rule="opset-old", what=f"operator set {opset}")
    if opset > OPSET:
        yield LintFinding(rule="opset-new", what=f"operator set {opset}")


def _lint_operators(graph: OnnxGraph) -> Iterator[LintFinding]:
    for node in graph.nodes:
        is_pair = node.op_type in (QUANTIZE, DEQUANTIZE) and node.domain in ("", "ai.onnx")
        if node.op_type.startswith("QLinear") or (node.op_type in INTEGER_OPERATORS and not is_pair):
            yield _finding("integer-operator", node)


def _lint_layers(graph: OnnxGraph) -> Iterator[LintFinding]:
    for node in graph.nodes:
        if not graph.is_layer(node):
            continue
        activation, weight = (graph.dequantizer(name) for name in node.input[:2])
        if activation is not None and weight is not None:
            yield from _lint_weight(graph, node, weight)
            if _scale_count(graph, activation) > 1:
                yield _finding("by-channel-input", node)
        elif activation is not None or weight is not None:
            side = "weights" if activation is not None else "input"
            yield _finding("half-quantized", node, f"its {side} come from no pair")


def _lint_weight(graph: OnnxGraph, node: Any, dequantizer: Any) -> Iterator[LintFinding]:
    weight = graph.constants[graph.origin(node.input[1])]
    axis = weight_axis(node) % len(weight.dims)
    if _scale_count(graph, dequantizer) == 1:
        if weight.dims[axis] > 1:
            yield _finding("per-tensor-weight", node, f"{weight.dims[axis]} channels")
    elif _axis(dequantizer) % len(weight.dims) != axis:
        yield _finding("weight-axis", node, f"axis {_axis(dequantizer)} instead of {axis}")
    if dequantizer.input[0] in graph.constants:
        yield _finding("int8-weight", node)


def _lint_sums(graph: OnnxGraph) -> Iterator[LintFinding]:
    """A side that comes straight from a layer may stay float: the two become one kernel."""
    integer = {
        id(node)
        for node in graph.nodes
        if graph.is_layer(node) and all(graph.dequantizer(name) is not None for name in node.input[:2])
    }
    for node in graph.nodes:
        if node.op_type not in ("Add", "Sum") or any(name in graph.constants for name in node.input):
            continue
        near = [*(graph.layers_above(name) for name in node.input), graph.layers_below(node.output[0])]
        if not all(side and all(id(layer) in integer for layer in side) for side in near):
            continue
        floats = [name for name in node.input if graph.dequantizer(name) is None]
        straight = [name for name in floats if graph.made_by[name].op_type in LAYERS]
        if len(floats) - min(1, len(straight)) > 0:
            yield _finding("residual-float", node, f"{len(floats)} of its sides come from no pair")


def _lint_places(graph: OnnxGraph) -> Iterator[LintFinding]:
    for node in graph.nodes:
        if node.op_type in _IN_FLOAT and any(graph.dequantizer(name) is not None for name in node.input):
            yield _finding("misplaced", node)


def _scale_count(graph: OnnxGraph, node: Any) -> int:
    """Scales of a node of a pair; 1 where they are no constant."""
    scale = graph.constants.get(node.input[1])
    count = 1
    for extent in () if scale is None else scale.dims:
        count *= int(extent)
    return count


def _axis(node: Any) -> int:
    return int(attribute_of(node, "axis", 1))


def _finding(rule: str, node: Any, what: str = "") -> LintFinding:
    return LintFinding(rule=rule, operator=node.op_type, node=node.name or node.output[0], what=what)
