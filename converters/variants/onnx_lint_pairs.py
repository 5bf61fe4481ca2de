"""What is wrong with single Q/DQ pairs: see :mod:`.onnx_lint`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edge_sdk.contract.values import Array

from ..report.lint_finding import LintFinding
from .onnx_graph import DEQUANTIZE, QUANTIZE, OnnxGraph, attribute_of

__all__ = ["lint_pairs"]

_MOVES = (
    *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Split", "Gather", "Concat"),
    *("MaxPool", "Relu", "Pad", "Identity", "DepthToSpace", "SpaceToDepth", "Expand", "Resize"),
)
"""Operations that take integers as well, so that they may stand between the two of a pair."""


def lint_pairs(graph: OnnxGraph) -> Iterator[LintFinding]:
    """Findings about each QuantizeLinear and DequantizeLinear by itself, and about the two together."""
    for node in graph.nodes:
        if node.op_type in (QUANTIZE, DEQUANTIZE):
            yield from _lint_type(graph, node)
            yield from _lint_scale(graph, node)
        if node.op_type == QUANTIZE and not _is_dequantized(graph, node.output[0]):
            yield _finding("lone-quantize", node)
        elif node.op_type == DEQUANTIZE:
            yield from _lint_dequantizer(graph, node)


def _lint_type(graph: OnnxGraph, node: Any) -> Iterator[LintFinding]:
    from onnx import TensorProto

    zero = _constant(graph, node, 2)
    if zero is not None and zero.any():
        yield _finding("zero-point", node, f"its zero point is {_shortened(zero)}")
    kind = _integer_type(graph, node)
    if kind == TensorProto.UINT8:
        yield _finding("unsigned", node, "uint8")
    elif kind in (TensorProto.INT16, TensorProto.UINT16, TensorProto.INT32):
        yield _finding("element-type", node, TensorProto.DataType.Name(kind).lower())


def _integer_type(graph: OnnxGraph, node: Any) -> int:
    """The element type between the two; uint8 where a QuantizeLinear does not say."""
    from onnx import TensorProto

    named = [node.input[2]] if len(node.input) > 2 and node.input[2] else []
    named += [node.input[0]] if node.op_type == DEQUANTIZE else []
    for name in named:
        if name in graph.constants:
            return int(graph.constants[name].data_type)
    declared = int(attribute_of(node, "output_dtype", 0)) if node.op_type == QUANTIZE else 0
    if declared:
        return declared
    return TensorProto.UINT8 if node.op_type == QUANTIZE and not named else TensorProto.UNDEFINED


def _lint_scale(graph: OnnxGraph, node: Any) -> Iterator[LintFinding]:
    scale = _constant(graph, node, 1)
    if scale is None:
        yield _finding("scale", node, "its scale is computed")
    elif not (np.isfinite(scale).all() and (scale > 0).all()):
        yield _finding("scale", node, f"its scale is {_shortened(scale)}")


def _lint_dequantizer(graph: OnnxGraph, node: Any) -> Iterator[LintFinding]:
    name = node.input[0]
    while name in graph.made_by and graph.made_by[name].op_type in _MOVES:
        name = graph.made_by[name].input[0]
    if name in graph.constants:
        return
    maker = graph.made_by.get(name)
    if maker is None or maker.op_type != QUANTIZE:
        yield _finding("lone-dequantize", node)
        return
    before, after = _constant(graph, maker, 1), _constant(graph, node, 1)
    if before is not None and after is not None and not np.array_equal(before, after):
        yield _finding("pair-scales", node, f"{_shortened(before)} and {_shortened(after)}")


def _is_dequantized(graph: OnnxGraph, name: str) -> bool:
    """Whether every way from a tensor leads to a DequantizeLinear."""
    readers = graph.read_by.get(name, ())
    if name in graph.outputs or not readers:
        return False
    return all(
        node.op_type == DEQUANTIZE
        or (node.op_type in _MOVES and all(_is_dequantized(graph, made) for made in node.output))
        for node, _ in readers
    )


def _constant(graph: OnnxGraph, node: Any, position: int) -> Array | None:
    from onnx import numpy_helper

    name = node.input[position] if len(node.input) > position else ""
    return numpy_helper.to_array(graph.constants[name]) if name in graph.constants else None


def _shortened(values: Array) -> str:
    flat = values.reshape(-1)
    return f"{flat[0]:g}" if len(flat) == 1 else f"{flat.min():g} to {flat.max():g}"


def _finding(rule: str, node: Any, what: str = "") -> LintFinding:
    return LintFinding(rule=rule, operator=node.op_type, node=node.name or node.output[0], what=what)
