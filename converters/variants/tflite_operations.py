"""The operations of a ``.tflite`` in the order in which they run, as far as quantization needs them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from edge_sdk.errors import ConversionError, MissingExtraError

from .onnx_float_ends import TensorEnd

__all__ = ["Operation", "read_ends", "read_operations", "refuse_loops"]

# Inputs and output have one range in int8, so that a wide one takes the steps from a narrow one.
_ONE_RANGE = (
    "CONCATENATION",
    "GATHER",
    "MAX_POOL_2D",
    "PACK",
    "PAD",
    "REDUCE_MAX",
    "RESHAPE",
    "SPLIT",
    "SQUEEZE",
    "STRIDED_SLICE",
    "TRANSPOSE",
)

_LAYERS = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "TRANSPOSE_CONV",
    "CONV_3D",
    "FULLY_CONNECTED",
    "BATCH_MATMUL",
    "SVDF",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes:
        name: Of its first output tensor; TensorFlow's names of what was fused into it, by semicolons.
        is_layer: Whether it does the arithmetic of a layer: a convolution or a matrix product.
        is_float: Whether that output is float32.
        weight_bytes: Size of the constants that it reads.
        reads: Names of the tensors that it reads, constants too.
        has_one_range: Whether int8 would force the range of its output on its inputs.
    """

    name: str
    is_layer: bool
    is_float: bool
    weight_bytes: int
    reads: tuple[str, ...] = ()
    has_one_range: bool = False

    @property
    def short_name(self) -> str:
        """The first of the names that were fused into it."""
        return self.name.partition(";")[0]


def read_operations(content: bytes) -> list[Operation]:
    """The operations of a model's main graph."""
    schema = _schema()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    layers, one_range = (
        {getattr(schema.BuiltinOperator, name) for name in names} for names in (_LAYERS, _ONE_RANGE)
    )
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]

    def constant_bytes(index: int) -> int:
        data = None if index < 0 else model.buffers[graph.tensors[index].buffer].data
        return 0 if data is None else len(data)

    operations = []
    for operator in graph.operators:
        result = graph.tensors[operator.outputs[0]]
        operations.append(
            Operation(
                name=result.name.decode(),
                is_layer=codes[operator.opcodeIndex] in layers,
                is_float=result.type == schema.TensorType.FLOAT32,
                weight_bytes=sum(constant_bytes(index) for index in operator.inputs),
                reads=tuple(graph.tensors[index].name.decode() for index in operator.inputs if index >= 0),
                has_one_range=codes[operator.opcodeIndex] in one_range,
            )
        )
    return operations


def read_ends(content: bytes) -> tuple[list[TensorEnd], list[TensorEnd]]:
    """By which steps a model's inputs and outputs are quantized."""
    model = _schema().ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]

    def end(index: int) -> TensorEnd:
        told = graph.tensors[index].quantization
        if told is None or told.scale is None or len(told.scale) != 1:
            return TensorEnd(0.0, 0)
        return TensorEnd(float(told.scale[0]), int(told.zeroPoint[0]))

    inputs, outputs = ([end(index) for index in indices] for indices in (graph.inputs, graph.outputs))
    return inputs, outputs


def refuse_loops(content: bytes) -> None:
    """Refuse what TFLite's calibrator brings the process down with.

    Raises:
        ConversionError: The model has a loop, as recurrent layers have.
    """
    schema = _schema()
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if any(code.builtinCode == schema.BuiltinOperator.WHILE for code in model.operatorCodes):
        raise ConversionError(
            "TFLite cannot measure the ranges of a model with a loop, as recurrent layers have; "
            "build it with keras.layers.LSTM(..., unroll=True), or GRU so"
        )


@cache
def _schema() -> Any:
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "convert") from error
    return schema_py_generated
