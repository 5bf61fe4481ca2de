"""Which operator set ONNX files are written in, so that one file serves every TensorRT in the field.

TensorRT's parser reads operator sets up to 17 in release 8.5 and 8.6 (JetPack 6.0), up to 20 in 10.0,
up to 24 in 10.15 and 11.2, by its own lists of operators. Quantization by channel came with 13.
In 18, reductions take their axes as an input and tf2onnx writes ReduceMean where 17 has
GlobalAveragePool, which engines know as one operation.
"""

from __future__ import annotations

from typing import Any

from edge_sdk.errors import ConversionError

__all__ = ["BY_CHANNEL", "OPSET", "drop_unused_domains", "opset_of", "raise_opset"]

OPSET = 17
"""What is written here, and the newest that TensorRT 8.6 reads."""

BY_CHANNEL = 13
"""The first in which QuantizeLinear has a scale by channel."""


def opset_of(model: Any) -> int:
    """The version of ONNX's own operators that a model asks for."""
    return max(
        (int(entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1
    )


def raise_opset(model: Any) -> Any:
    """A model of an older operator set in :data:`OPSET`; others as they are, for ways back lose things.

    Raises:
        ConversionError: One of its operations cannot be brought there.
    """
    from onnx import helper, version_converter

    if opset_of(model) >= BY_CHANNEL:
        return model
    try:
        raised = version_converter.convert_version(model, OPSET)
    except (RuntimeError, ValueError) as error:
        raise ConversionError(
            f"the model is in ONNX operator set {opset_of(model)}, and cannot be brought to {OPSET}: "
            f"{str(error).strip().splitlines()[-1][:300]}",
            hint=f"export it with opset {OPSET}",
        ) from error
    raised.ir_version = max(raised.ir_version, helper.find_min_ir_version_for(raised.opset_import))
    return raised


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
