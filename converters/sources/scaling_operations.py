"""What a graph does to its input before its first layer, operation by operation, read from every format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from edge_sdk.contract.values import Array
from edge_sdk.errors import MissingExtraError

from .channel_cuts import Cuts, onnx_cuts, strided_cuts, tensor_cuts
from .flat_graph import FlatGraph
from .scaling_walk import TURNS, Operation, ScalingWalk, Step, plain_kind

__all__ = ["onnx_steps", "tensorflow_steps", "tflite_steps"]

_MASKS: Mapping[str, str] = {
    "begin": "beginMask",
    "end": "endMask",
    "ellipsis": "ellipsisMask",
    "new_axis": "newAxisMask",
    "shrink_axis": "shrinkAxisMask",
}
"""Of a strided slice, as TensorFlow (with ``_mask``) and TFLite call them."""
_ONNX_CLIPS: Mapping[str, str] = {"Min": "Minimum", "Max": "Maximum"}
"""TensorFlow's ``Min`` and ``Max`` reduce."""
_FOLDED: Mapping[str, Callable[..., Array]] = {
    "Sqrt": np.sqrt,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Maximum": np.maximum,
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
}


def tensorflow_steps(flat: FlatGraph, channels: int) -> list[Step]:
    """Of a TensorFlow graph. Constants too large to stand in it scale by place, not by channel."""
    graph = flat.load()

    def constant(name: str) -> Array | None:
        return _tensorflow_constant(graph.get_tensor_by_name(name))

    def shape(name: str) -> Sequence[int | None] | None:
        known = graph.get_tensor_by_name(name).shape
        return None if known.rank is None else known.as_list()

    def operation(one: Any) -> Operation:
        kind, taken = plain_kind(one.type), [part.name for part in one.inputs]
        return Operation(kind, taken, [part.name for part in one.outputs], cuts(one, kind, taken))

    def cuts(one: Any, kind: str, taken: Sequence[str]) -> Cuts:
        if kind == "reversesequence":
            return {one.get_attr("seq_dim"): slice(None, None, -1)}
        if kind == "stridedslice":
            return strided_cuts(taken, constant, {name: one.get_attr(f"{name}_mask") for name in _MASKS})
        return tensor_cuts(kind, taken, constant) if kind in TURNS else {}

    operations = [operation(one) for one in graph.get_operations()]
    return ScalingWalk(operations, constant, shape, channels).begun_at(
        graph.get_tensor_by_name(flat.input).name
    )


def onnx_steps(content: bytes, input_name: str, channels: int) -> list[Step]:
    """Of an ONNX model."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtraError("onnx", "convert") from error
    model = onnx.load_from_string(content)
    graph: Any = model.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)

    @cache  # asked for where something is cut, as seldom happens: a large graph takes its time
    def shapes() -> dict[str, list[int]]:
        inferred: Any = onnx.shape_inference.infer_shapes(model).graph
        known = (*inferred.input, *inferred.value_info, *inferred.output)
        return {one.name: [length.dim_value for length in one.type.tensor_type.shape.dim] for one in known}

    operations = [
        Operation(
            plain_kind(_ONNX_CLIPS.get(node.op_type, node.op_type)),
            list(node.input),
            list(node.output),
            onnx_cuts(node, constants.get),
        )
        for node in graph.node
    ]
    return ScalingWalk(operations, constants.get, lambda name: shapes().get(name), channels).begun_at(
        input_name
    )


def tflite_steps(content: bytes, input_name: str, channels: int) -> list[Step]:
    """Of a TFLite model."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise MissingExtraError("ai_edge_litert", "tflite") from error
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    kinds = [names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "") for code in model.operatorCodes]
    inputs = {graph.tensors[index].name.decode(): str(index) for index in graph.inputs}

    def constant(index: str) -> Array | None:
        return _tflite_constant(schema, model, graph.tensors[int(index)])

    def shape(index: str) -> Sequence[int | None] | None:
        known = graph.tensors[int(index)].shape
        return None if known is None else [int(length) for length in known]

    def operation(operator: Any) -> Operation:
        kind, taken = plain_kind(kinds[operator.opcodeIndex]), [str(index) for index in operator.inputs]
        given = [str(index) for index in operator.outputs]
        return Operation(kind, taken, given, cuts(operator.builtinOptions, kind, taken))

    def cuts(options: Any, kind: str, taken: Sequence[str]) -> Cuts:
        if kind == "reversesequence":
            return {options.seqDim: slice(None, None, -1)}
        if kind == "stridedslice":
            return strided_cuts(taken, constant, {name: getattr(options, of) for name, of in _MASKS.items()})
        return tensor_cuts(kind, taken, constant) if kind in TURNS else {}

    operations = [operation(operator) for operator in graph.operators]
    return ScalingWalk(operations, constant, shape, channels).begun_at(inputs[input_name])


def _tensorflow_constant(tensor: Any) -> Array | None:
    """The value of a tensor that depends on no input."""
    from ..quiet import import_tensorflow

    operation = tensor.op
    if operation.type == "Const":
        value: Array = import_tensorflow().make_ndarray(operation.get_attr("value"))
        return value
    if operation.type in ("Identity", "Cast", "Reshape", "Squeeze", "ExpandDims"):
        return _tensorflow_constant(operation.inputs[0])
    if operation.type not in _FOLDED:
        return None
    taken = [_tensorflow_constant(part) for part in operation.inputs]
    if any(value is None for value in taken):
        return None
    return np.asarray(_FOLDED[operation.type](*taken))


def _tflite_constant(schema: Any, model: Any, tensor: Any) -> Array | None:
    """The numbers of a constant tensor, dequantized; None for others."""
    dtypes = {
        schema.TensorType.FLOAT32: np.float32,
        schema.TensorType.INT8: np.int8,
        schema.TensorType.UINT8: np.uint8,
        schema.TensorType.INT32: np.int32,
    }
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0 or tensor.type not in dtypes:
        return None
    value: Array = np.asarray(data, dtype=np.uint8).view(dtypes[tensor.type])
    quantization = tensor.quantization
    whole = tensor.type in (schema.TensorType.FLOAT32, schema.TensorType.INT32)
    if whole or quantization is None or quantization.scale is None:
        return value
    dequantized: Array = value.astype(np.float32) - np.float32(quantization.zeroPoint[0])
    return dequantized * np.float32(quantization.scale[0])
