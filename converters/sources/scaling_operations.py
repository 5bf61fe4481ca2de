"""Additions and multiplications by constants at the beginning of a graph, in the formats that models have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np

from edge_sdk.contract.values import Array
from edge_sdk.errors import MissingExtraError

from .flat_graph import FlatGraph

__all__ = ["Step", "onnx_steps", "tensorflow_steps", "tflite_steps"]

Kind: TypeAlias = Literal["add", "subtract", "multiply", "divide"]
Step: TypeAlias = tuple[Kind, Array]

_TENSORFLOW: Mapping[str, Kind] = {
    "Add": "add",
    "AddV2": "add",
    "BiasAdd": "add",
    "Sub": "subtract",
    "Mul": "multiply",
    "RealDiv": "divide",
    "Div": "divide",
}
_ONNX: Mapping[str, Kind] = {"Add": "add", "Sub": "subtract", "Mul": "multiply", "Div": "divide"}
_TFLITE: Mapping[str, Kind] = {"ADD": "add", "SUB": "subtract", "MUL": "multiply", "DIV": "divide"}
_PASSED = {"Identity", "Cast", "Transpose", "NoOp", "QuantizeLinear", "DequantizeLinear"}
_TFLITE_PASSED = {"QUANTIZE", "DEQUANTIZE", "CAST", "TRANSPOSE"}
_FOLDED: Mapping[str, Callable[..., Array]] = {
    "Sqrt": np.sqrt,
    "Rsqrt": lambda value: 1 / np.sqrt(value),
    "Maximum": np.maximum,
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
}


def tensorflow_steps(flat: FlatGraph) -> list[Step]:
    """Of a TensorFlow graph. Constants too large to stand in it scale by place, not by channel."""
    steps: list[Step] = []
    tensor = flat.load().get_tensor_by_name(flat.input)
    while len(readers := tensor.consumers()) == 1:
        operation = readers[0]
        if operation.type in _TENSORFLOW:
            step = _step(
                _TENSORFLOW[operation.type],
                [None if taken is tensor else _tensorflow_constant(taken) for taken in operation.inputs],
            )
            if step is None:
                break
            steps.append(step)
        elif operation.type not in _PASSED:
            break
        if len(operation.outputs) != 1:
            break
        tensor = operation.outputs[0]
    return steps


def onnx_steps(content: bytes, input_name: str) -> list[Step]:
    """Of an ONNX model."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtraError("onnx", "convert") from error
    graph: Any = onnx.load_from_string(content).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].HasField("t"):
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    operations = [(node.op_type, list(node.input), list(node.output)) for node in graph.node]
    return _follow(operations, input_name, constants, _ONNX, _PASSED)


def tflite_steps(content: bytes, input_name: str) -> list[Step]:
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
    constants: dict[str, Array] = {}
    for index, tensor in enumerate(graph.tensors):
        value = _tflite_constant(schema, model, tensor)
        if value is not None:
            constants[str(index)] = value
    operations = [
        (
            kinds[operator.opcodeIndex],
            [str(index) for index in operator.inputs],
            [str(index) for index in operator.outputs],
        )
        for operator in graph.operators
    ]
    return _follow(operations, inputs[input_name], constants, _TFLITE, _TFLITE_PASSED)


def _follow(
    operations: Iterable[tuple[str, list[str], list[str]]],
    tensor: str,
    constants: Mapping[str, Array],
    arithmetic: Mapping[str, Kind],
    passed: set[str],
) -> list[Step]:
    """Go from the input through operations of which each reads the one before alone."""
    readers: dict[str, list[tuple[str, list[str], list[str]]]] = {}
    for operation in operations:
        for name in dict.fromkeys(operation[1]):
            readers.setdefault(name, []).append(operation)
    steps: list[Step] = []
    while len(readers.get(tensor, [])) == 1:
        kind, taken, given = readers[tensor][0]
        if kind in arithmetic:
            step = _step(
                arithmetic[kind], [None if name == tensor else constants.get(name) for name in taken]
            )
            if step is None:
                break
            steps.append(step)
        elif kind not in passed:
            break
        tensor = given[0]
    return steps


def _step(kind: Kind, operands: list[Array | None]) -> Step | None:
    """What is done with the constant; None where there is none, or it stands before a minus or a slash."""
    if len(operands) != 2 or (operands[0] is None and operands[1] is None):
        return None
    first, second = operands
    if second is not None:
        return kind, second
    if first is None or kind in ("subtract", "divide"):
        return None
    return kind, first


def _tensorflow_constant(tensor: Any) -> Array | None:
    """The value of a tensor that depends on no input."""
    from ..quiet import import_tensorflow

    operation = tensor.op
    if operation.type == "Const":
        value: Array = import_tensorflow().make_ndarray(operation.get_attr("value"))
        return value
    if operation.type in ("Identity", "Cast", "Reshape"):
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
    }
    data = model.buffers[tensor.buffer].data
    if data is None or len(data) == 0 or tensor.type not in dtypes:
        return None
    value: Array = np.asarray(data, dtype=np.uint8).view(dtypes[tensor.type])
    quantization = tensor.quantization
    if tensor.type == schema.TensorType.FLOAT32 or quantization is None or quantization.scale is None:
        return value
    dequantized: Array = value.astype(np.float32) - np.float32(quantization.zeroPoint[0])
    return dequantized * np.float32(quantization.scale[0])
