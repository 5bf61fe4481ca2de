"""An ONNX model in float32, simplified, from which those of other precision are made."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.errors import ConversionError, MissingExtraError
from edge_sdk.inference.onnx_session import WRONG_OPTIMIZERS

from ..quiet import quiet_libraries
from .onnx_canonical import canonical_onnx
from .onnx_graph import INTEGER_OPERATORS
from .onnx_opset import drop_unused_domains, settle_opset
from .quantized_already import quantized_already

__all__ = ["PreparedOnnx", "prepare_onnx"]


@dataclass(frozen=True)
class PreparedOnnx:
    """A model with one input of fixed shape, its normalisations folded into its layers.

    Attributes:
        content: The file.
        input_name, output_names: As the model has them.
    """

    content: bytes
    input_name: str
    output_names: tuple[str, ...]

    def load(self) -> Any:
        """A copy as ``onnx.ModelProto``, with the element type and shape of every tensor that is known."""
        import onnx

        return onnx.shape_inference.infer_shapes(onnx.load_from_string(self.content), data_prop=True)

    def finish(self, model: Any) -> bytes:
        """A changed copy as the bytes of a file; the same graph gives the same bytes."""
        drop_unused_domains(model)
        return canonical_onnx(model, self.input_name, self.output_names)


def prepare_onnx(content: bytes, input_name: str, shape: Sequence[int]) -> PreparedOnnx:
    """Simplify a model by ONNX Runtime's basic optimizations, which keep to ONNX's own operators.

    Args:
        content: The model.
        input_name: Its one input.
        shape: Of that, batch of 1.

    Raises:
        MissingExtraError: onnx is not installed.
        ConversionError: It has further inputs, is not in float32 throughout, or keeps weights in other files.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("onnx", "convert") from error
    model = onnx.load_from_string(content)
    _refuse_unsuitable(model)
    _keep_inputs(model, input_name)
    _fix_shape(model, shape)
    output_names = tuple(value.name for value in model.graph.output)
    simplified = _simplified(settle_opset(model))
    drop_unused_domains(simplified)
    return PreparedOnnx(canonical_onnx(simplified, input_name, output_names), input_name, output_names)


def _refuse_unsuitable(model: Any) -> None:
    from onnx import TensorProto

    if any(tensor.data_location == TensorProto.EXTERNAL for tensor in model.graph.initializer):
        raise ConversionError("its weights are in another file", hint="save it as one .onnx file")
    found = sorted({node.op_type for node in model.graph.node if node.op_type in INTEGER_OPERATORS})
    if found:
        raise quantized_already(f": it has {', '.join(found)}")
    halves = (TensorProto.FLOAT16, TensorProto.BFLOAT16)
    if any(tensor.data_type in halves for tensor in model.graph.initializer):
        raise ConversionError("its weights are in 16 bits already", hint="give the model in float32")


def _keep_inputs(model: Any, input_name: str) -> None:
    """Old files list constants as inputs, too."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = model.graph.input
    for index in reversed(range(len(inputs))):
        if inputs[index].name in constants:
            del inputs[index]
    if [value.name for value in inputs] != [input_name]:
        names = ", ".join(f"'{value.name}'" for value in inputs)
        raise ConversionError(f"it takes {names}; one input is supported")


def _fix_shape(model: Any, shape: Sequence[int]) -> None:
    tensor_type = model.graph.input[0].type.tensor_type
    tensor_type.ClearField("shape")
    for extent in shape:
        tensor_type.shape.dim.add().dim_value = extent
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")  # they follow from the input's
    model.graph.ClearField("value_info")


def _simplified(model: Any) -> Any:
    import onnx

    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "onnx") from error
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory(prefix="edge-sdk-") as folder, quiet_libraries():
        path = Path(folder, "simplified.onnx")
        options.optimized_model_filepath = str(path)
        try:
            onnxruntime.InferenceSession(
                model.SerializeToString(),
                options,
                providers=["CPUExecutionProvider"],
                # Sharing would give constants of one value to several layers, which are then not one layer's.
                disabled_optimizers=["ConstantSharing", *WRONG_OPTIMIZERS],
            )
        except _error_types(onnxruntime) as error:
            raise ConversionError(f"ONNX Runtime refuses the model: {_first_line(error)}") from error
        return onnx.load(path)


def _error_types(runtime: Any) -> tuple[type[Exception], ...]:
    """The library's exceptions have no common base but ``Exception``; they share a module."""
    state = runtime.capi.onnxruntime_pybind11_state
    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
