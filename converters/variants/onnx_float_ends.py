"""Float32 at the ends of an ONNX model made from a ``.tflite`` that takes and gives integers.

Everywhere else such a ``.tflite`` is fed float32, which its backend quantizes by the scales in the file. A
QuantizeLinear in front and a DequantizeLinear behind do the same inside the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .onnx_graph import DEQUANTIZE, QUANTIZE, OnnxGraph

__all__ = ["TensorEnd", "give_float_ends"]


@dataclass(frozen=True, slots=True)
class TensorEnd:
    """An input or output of the ``.tflite``.

    Attributes:
        scale: Real value of one step; 0 where it is not quantized.
        zero_point: The number that stands for 0.
    """

    scale: float
    zero_point: int


def give_float_ends(model: Any, inputs: Sequence[TensorEnd], outputs: Sequence[TensorEnd]) -> None:
    """Make the quantized ends of a model float32, in place.

    Args:
        model: ``onnx.ModelProto``.
        inputs: What they are in the ``.tflite``, in the order of the model's.
        outputs: Likewise.
    """
    graph = model.graph
    for value, end in zip(graph.input, inputs, strict=True):
        if end.scale and _is_integer(value):
            _quantize_input(model, value, end)
    for value, end in zip(graph.output, outputs, strict=True):
        if end.scale and _is_integer(value):
            _dequantize_output(model, value, end)


def _is_integer(value: Any) -> bool:
    from onnx import helper

    return helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).kind in "iu"


def _quantize_input(model: Any, value: Any, end: TensorEnd) -> None:
    from onnx import TensorProto, helper

    graph, name = OnnxGraph(model), value.name
    quantized = f"{name}/quantized"
    taken = _constants(model, name, value, end)
    for node, position in graph.read_by.get(name, ()):
        node.input[position] = quantized
    model.graph.node.insert(0, helper.make_node(QUANTIZE, [name, *taken], [quantized]))
    value.type.tensor_type.elem_type = TensorProto.FLOAT
    # tf2onnx goes on from uint8 to int8 of the same steps: once is enough, and engines take int8 alone.
    for node, _ in graph.read_by.get(name, ()):
        readers = [reader.node for reader in graph.read_by.get(node.output[0], ())]
        if node.op_type == DEQUANTIZE and readers and all(_repeats(graph, node, other) for other in readers):
            for other in readers:
                other.input[0] = name


def _dequantize_output(model: Any, value: Any, end: TensorEnd) -> None:
    from onnx import TensorProto, helper

    graph, name = OnnxGraph(model), value.name
    last = graph.made_by.get(name)
    before = graph.dequantizer(last.input[0]) if last is not None and last.op_type == QUANTIZE else None
    if before is not None and before.output[0] not in graph.outputs and _repeats(graph, before, last):
        value.name = before.output[0]  # it is on these steps already
    else:
        taken = _constants(model, name, value, end)
        value.name = f"{name}/dequantized"
        model.graph.node.append(helper.make_node(DEQUANTIZE, [name, *taken], [value.name]))
    value.type.tensor_type.elem_type = TensorProto.FLOAT


def _constants(model: Any, name: str, value: Any, end: TensorEnd) -> list[str]:
    from onnx import helper, numpy_helper

    dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
    scale, zero_point = np.array(end.scale, dtype=np.float32), np.array(end.zero_point, dtype=dtype)
    named = {f"{name}/scale": scale, f"{name}/zero point": zero_point}
    model.graph.initializer.extend(numpy_helper.from_array(item, key) for key, item in named.items())
    return list(named)


def _repeats(graph: OnnxGraph, dequantize: Any, quantize: Any) -> bool:
    """Whether a QuantizeLinear gives the very steps that a DequantizeLinear came from, in another type."""
    if quantize.op_type != QUANTIZE or not all(
        len(node.input) == 3 and all(name in graph.constants for name in node.input[1:])
        for node in (dequantize, quantize)
    ):
        return False
    (one_scale, one_zero), (other_scale, other_zero) = (
        [_value(graph, name) for name in node.input[1:]] for node in (dequantize, quantize)
    )
    return bool(
        np.array_equal(one_scale, other_scale)
        and one_zero.dtype.itemsize == other_zero.dtype.itemsize
        and np.array_equal(_from_lowest(one_zero), _from_lowest(other_zero))
    )


def _from_lowest(zero_point: Any) -> Any:
    """How many steps there are below 0."""
    return zero_point.astype(np.int64) - np.iinfo(zero_point.dtype).min


def _value(graph: OnnxGraph, name: str) -> Any:
    from onnx import numpy_helper

    return numpy_helper.to_array(graph.constants[name])
