"""Real models of one layer, made in milliseconds without a training library.

All compute ``sigmoid(features . weights + bias)`` on the flattened features: as TFLite in float32,
as TFLite with int8 inside and at both ends, and as ONNX.
"""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

from edge_sdk.contract.values import Float32Array

INPUT, OUTPUT = "features", "scores"


def tiny_onnx(weights: Float32Array, bias: Float32Array, shape: tuple[int | str, ...]) -> bytes:
    """ONNX: Reshape, Gemm, Sigmoid.

    Args:
        weights: Shape ``[labels, features]``.
        bias: Shape ``[labels]``.
        shape: Of the input, batch axis first; a string leaves an axis open.
    """
    n_labels, n_features = weights.shape
    nodes = [
        helper.make_node("Reshape", [INPUT, "flat_shape"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"], transB=1),
        helper.make_node("Sigmoid", ["logits"], [OUTPUT]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [shape[0], n_labels])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(np.array([-1, n_features], dtype=np.int64), "flat_shape"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def tiny_tflite(weights: Float32Array, bias: Float32Array, shape: tuple[int, ...]) -> bytes:
    """TFLite in float32; arguments as for :func:`tiny_onnx`, an open batch axis is -1."""
    kind = schema.TensorType.FLOAT32
    tensors = [
        _tensor(INPUT, kind, shape),
        _tensor("weights", kind, weights.shape, buffer=1),
        _tensor("bias", kind, bias.shape, buffer=2),
        _tensor("logits", kind, (1, len(bias))),
        _tensor(OUTPUT, kind, (1, len(bias))),
    ]
    return _packed(tensors, [weights.astype(np.float32), bias.astype(np.float32)])


def tiny_int8_tflite(
    weights: Float32Array, bias: Float32Array, shape: tuple[int, ...], largest: float
) -> bytes:
    """TFLite that takes and gives int8.

    Args:
        weights, bias, shape: As for :func:`tiny_onnx`.
        largest: Features are quantized over ``-largest..largest``.
    """
    kind = schema.TensorType.INT8
    in_scale, weight_scale = largest / 127, float(np.abs(weights).max()) / 127
    logit_scale = 16 / 127
    tensors = [
        _tensor(INPUT, kind, shape, quantization=(in_scale, 0)),
        _tensor("weights", kind, weights.shape, buffer=1, quantization=(weight_scale, 0)),
        _tensor(
            "bias", schema.TensorType.INT32, bias.shape, buffer=2, quantization=(in_scale * weight_scale, 0)
        ),
        _tensor("logits", kind, (1, len(bias)), quantization=(logit_scale, 0)),
        _tensor(OUTPUT, kind, (1, len(bias)), quantization=(1 / 256, -128)),
    ]
    constants = [
        np.rint(weights / weight_scale).astype(np.int8),
        np.rint(bias / (in_scale * weight_scale)).astype(np.int32),
    ]
    return _packed(tensors, constants)


def _tensor(
    name: str,
    kind: int,
    shape: tuple[int, ...],
    buffer: int = 0,
    quantization: tuple[float, int] | None = None,
) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer = name, kind, buffer
    tensor.shape = [abs(extent) for extent in shape]
    if -1 in shape:
        tensor.shapeSignature = list(shape)
    if quantization is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [quantization[0]], [quantization[1]]
    return tensor


def _packed(tensors: list[Any], constants: list[np.ndarray[Any, Any]]) -> bytes:
    operators = schema.BuiltinOperator
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs = tensors, [0], [4]
    graph.operators = [_operator(0, [0, 1, 2], [3]), _operator(1, [3], [4])]
    graph.operators[0].builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    graph.operators[0].builtinOptions = schema.FullyConnectedOptionsT()
    model = schema.ModelT()
    model.version = 3
    model.operatorCodes = [
        _operator_code(operators.FULLY_CONNECTED, 4),
        _operator_code(operators.LOGISTIC, 2),
    ]
    model.subgraphs = [graph]
    model.buffers = [schema.BufferT() for _ in range(3)]
    for buffer, constant in zip(model.buffers[1:], constants, strict=True):
        buffer.data = list(constant.tobytes())
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _operator(code: int, inputs: list[int], outputs: list[int]) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, outputs
    return operator


def _operator_code(builtin: int, version: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = version
    return code
