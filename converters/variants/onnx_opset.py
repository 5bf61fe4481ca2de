"""Which operator set ONNX files are written in, so that one file serves every TensorRT in the field.

TensorRT's parser reads operator sets up to 17 in release 8.5 and 8.6 (JetPack 6.0), up to 20 in 10.0,
up to 24 in 10.15 and 11.2, by its own lists of operators. Quantization by channel came with 13.
In 18, reductions take their axes as an input and tf2onnx writes ReduceMean where 17 has
GlobalAveragePool, which engines know as one operation.
"""

from __future__ import annotations

from typing import Any

from edge_sdk.errors import ConversionError

__all__ = ["BY_CHANNEL", "OPSET", "drop_unused_domains", "opset_of", "settle_opset"]

OPSET = 17
"""What is written here, and the newest that TensorRT 8.6 reads."""

BY_CHANNEL = 13
"""The first in which QuantizeLinear has a scale by channel."""


def opset_of(model: Any) -> int:
    """The version of ONNX's own operators that a model asks for."""
    return max(
        (int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1
    )


def settle_opset(model: Any) -> Any:
    """A model in an operator set from :data:`BY_CHANNEL` to :data:`OPSET`.

    A newer one is brought back where ONNX knows a way, and otherwise kept: what it then answers is judged
    against the model that was given.

    Raises:
        ConversionError: One of its operations cannot be brought up to :data:`OPSET`.
    """
    opset = opset_of(model)
    if BY_CHANNEL <= opset <= OPSET:
        return model
    try:
        return _converted(model)
    except _refusals() as error:
        if opset > OPSET:
            return model
        raise ConversionError(
            f"the model is in ONNX operator set {opset}, and cannot be brought to {OPSET}: "
            f"{str(error).strip().splitlines()[-1][:300]}",
            hint=f"export it with opset {OPSET}",
        ) from error


def _converted(model: Any) -> Any:
    from onnx import checker, helper, version_converter

    converted = version_converter.convert_version(model, OPSET)
    converted.ir_version = helper.find_min_ir_version_for(converted.opset_import)
    checker.check_model(converted, full_check=True)  # a way back may leave an operation as it was
    return converted


def _refusals() -> tuple[type[Exception], ...]:
    from onnx import checker, shape_inference

    return (RuntimeError, ValueError, checker.ValidationError, shape_inference.InferenceError)


def drop_unused_domains(model: Any) -> None:
    """Keep the operator sets that its nodes use: an optimizer imports all that it knows."""
    used = {node.domain for node in model.graph.node if node.domain not in ("", "ai.onnx")}
    if _has_bodies(model.graph):
        return
    for index in reversed(range(len(model.opset_import))):
        entry = model.opset_import[index]
        if entry.domain not in ("", "ai.onnx") and entry.domain not in used:
            del model.opset_import[index]


def _has_bodies(graph: Any) -> bool:
    return any(attribute.HasField("g") for node in graph.node for attribute in node.attribute)
