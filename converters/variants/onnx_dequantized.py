"""A quantized ONNX model without its rounding: what ONNX of another precision can be made from.

Weights keep the values that they were rounded to; between the layers all is float32. Quantized again, with
ranges that are measured, it has the zero points of 0 that TensorRT wants and TFLite's int8 has not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_sdk.errors import ConversionError

from .onnx_graph import DEQUANTIZE, QUANTIZE, OnnxGraph, attribute_of

__all__ = ["dequantize_onnx"]

_MOVES = frozenset(
    (
        *("Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "MaxPool", "Reshape"),
        *("Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"),
    )
)
"""What does the same to quantized numbers as to the values that they stand for."""


def dequantize_onnx(content: bytes) -> bytes:
    """Take the Q/DQ pairs out of a model; one that has none is given back as it is.

    Raises:
        ConversionError: An operation between them computes with the integers themselves.
    """
    import onnx

    model = onnx.load_from_string(content)
    graph = OnnxGraph(model)
    if not any(node.op_type in (QUANTIZE, DEQUANTIZE) for node in graph.nodes):
        return content
    kept = _without_pairs(model, graph)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.graph.ClearField("value_info")
    return bytes(model.SerializeToString(deterministic=True))


def _without_pairs(model: Any, graph: OnnxGraph) -> list[Any]:
    """Copies of the other nodes, which read one another's values; weights become constants of ``model``."""
    same: dict[str, str] = {}
    integers: set[str] = set()
    kept = []
    for node in graph.nodes:
        if node.op_type == DEQUANTIZE and node.input[0] in graph.constants:
            _fold(model, graph, node)
        elif node.op_type in (QUANTIZE, DEQUANTIZE):
            same[node.output[0]] = same.get(node.input[0], node.input[0])
            integers |= {node.output[0]} if node.op_type == QUANTIZE else set()
        else:
            if not integers.isdisjoint(node.input):
                _refuse_arithmetic(node)
                integers |= set(node.output)
            kept.append(_copy(node))
    # What was behind an output's last pair gives it now, by its name.
    ends = {same[value.name]: value.name for value in model.graph.output if value.name in same}
    for node in kept:
        read = [same.get(name, name) for name in node.input]
        node.input[:] = [ends.get(name, name) for name in read]
        node.output[:] = [ends.get(name, name) for name in node.output]
    return kept


def _refuse_arithmetic(node: Any) -> None:
    if node.op_type not in _MOVES:
        raise ConversionError(f"it is quantized already, and its {node.op_type} computes with the integers")


def _fold(model: Any, graph: OnnxGraph, node: Any) -> None:
    """Put the values of quantized weights in their place."""
    from onnx import numpy_helper

    values, scale, *rest = (numpy_helper.to_array(graph.constants[name]) for name in node.input if name)
    zero_point = rest[0] if rest else np.zeros((), dtype=values.dtype)
    if scale.size > 1:
        axis = attribute_of(node, "axis", 1) % values.ndim
        channels = [-1 if place == axis else 1 for place in range(values.ndim)]
        scale, zero_point = scale.reshape(channels), zero_point.reshape(channels if zero_point.ndim else ())
    real = (values.astype(np.float32) - zero_point.astype(np.float32)) * scale.astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(real.astype(np.float32), node.output[0]))


def _copy(node: Any) -> Any:
    copied = type(node)()
    copied.CopyFrom(node)
    return copied
