"""A ``.tflite`` or ``.onnx`` that somebody else converted: taken as it is, and proved all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.errors import BackendError, MissingExtraError, ModelError
from edge_sdk.inference.open import open_backend

from .source_model import (
    FinalActivation,
    FitShape,
    SourceModel,
    choose_outputs,
    choose_tensor,
    digest_path,
    telling_tensors,
)

__all__ = ["activation_in", "open_ready"]

_TFLITE_ACTIVATIONS: dict[str, FinalActivation] = {"LOGISTIC": "sigmoid", "SOFTMAX": "softmax"}
_TFLITE_PASS_THROUGH = {"RESHAPE", "SQUEEZE", "QUANTIZE", "DEQUANTIZE", "CAST"}
_ONNX_ACTIVATIONS: dict[str, FinalActivation] = {"Sigmoid": "sigmoid", "Softmax": "softmax"}
_ONNX_PASS_THROUGH = {
    "Identity",
    "Reshape",
    "Squeeze",
    "Flatten",
    "QuantizeLinear",
    "DequantizeLinear",
    "Cast",
}


def open_ready(path: Path, input_name: str, output_name: str | None, fit_input: FitShape) -> SourceModel:
    """Open a ready model under reference kernels.

    Raises:
        ModelError: It cannot be read or loaded, or has several tensors and none was named.
    """
    model_format: ModelFormat = "tflite" if path.suffix == ".tflite" else "onnx"
    try:
        content = path.read_bytes()
        backend = open_backend(content, model_format, reference_kernels=True, name=path.name)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except BackendError as error:
        raise ModelError(error.message) from error
    taken = choose_tensor(path.name, "input", backend.inputs, input_name)
    outputs = choose_outputs(path.name, backend.outputs, output_name)
    with telling_tensors(path.name, backend.inputs, backend.outputs):
        fit_input(taken)
    return SourceModel(
        name=path.name,
        files=(digest_path(path),),
        backend=backend,
        input=taken,
        outputs=outputs,
        final_activation=activation_in(content, model_format, outputs[0].name),
        content=content,
        format=model_format,
    )


def activation_in(content: bytes, model_format: ModelFormat, output_name: str) -> FinalActivation:
    """What an output ends in, as far as the last operation in the file tells.

    Raises:
        MissingExtraError: The library that reads such files is not installed.
    """
    find = _tflite_activation if model_format == "tflite" else _onnx_activation
    return find(content, output_name)


def _tflite_activation(content: bytes, output_name: str) -> FinalActivation:
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise MissingExtraError("ai_edge_litert", "tflite") from error
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    graph = model.subgraphs[0]
    made_by = {int(tensor): operator for operator in graph.operators for tensor in operator.outputs}
    tensor = next(
        (int(index) for index in graph.outputs if graph.tensors[index].name.decode() == output_name), -1
    )
    while tensor in made_by:
        operator = made_by[tensor]
        code = model.operatorCodes[operator.opcodeIndex]
        kind = names.get(max(code.builtinCode, code.deprecatedBuiltinCode), "")
        if kind not in _TFLITE_PASS_THROUGH:
            return _TFLITE_ACTIVATIONS.get(kind, "other")
        tensor = int(operator.inputs[0])
    return "other"


def _onnx_activation(content: bytes, output_name: str) -> FinalActivation:
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("onnx", "convert") from error
    graph: Any = onnx.load_from_string(content).graph
    made_by = {name: node for node in graph.node for name in node.output}
    tensor = output_name
    while tensor in made_by:
        node = made_by[tensor]
        if node.op_type not in _ONNX_PASS_THROUGH:
            return _ONNX_ACTIVATIONS.get(node.op_type, "other")
        tensor = node.input[0]
    return "other"
