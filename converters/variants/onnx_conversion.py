"""From a TensorFlow function to ``.onnx`` bytes, by tf2onnx."""

from __future__ import annotations

from typing import Any

from edge_sdk.errors import ConversionError, MissingExtraError

from ..quiet import import_tensorflow, quiet_libraries
from ..sources.source_model import TracedModel
from .onnx_canonical import canonical_onnx

__all__ = ["OPSET", "check_complete", "convert_onnx"]

OPSET = 18  # the newest that tf2onnx writes


def convert_onnx(traced: TracedModel) -> bytes:
    """The flat graph of a function as an ONNX model in float32.

    Raises:
        MissingExtraError: tf2onnx is not installed.
        ConversionError: It refuses the model.
    """
    tensorflow, function = import_tensorflow(), traced.function
    with quiet_libraries():
        try:
            import tf2onnx
        except ImportError as error:
            raise MissingExtraError("tf2onnx", "convert") from error
        try:
            model, _ = tf2onnx.convert.from_graph_def(
                function.graph.as_graph_def(),
                input_names=[tensor.name for tensor in function.inputs],
                output_names=[tensor.name for tensor in function.outputs],
                opset=OPSET,
            )
        except (tensorflow.errors.OpError, ValueError, RuntimeError, KeyError, TypeError) as error:
            raise ConversionError(f"tf2onnx refuses the model: {error}") from error
    check_complete(model)
    return canonical_onnx(model, traced.input.name, [spec.name for spec in traced.outputs])


def check_complete(model: Any) -> None:
    """Refuse what tf2onnx left as it was, because it could not translate it.

    Raises:
        ConversionError: Names the operations.
    """
    from onnx import defs

    foreign = sorted({node.op_type for node in model.graph.node if not defs.has(node.op_type, node.domain)})
    if foreign:
        raise ConversionError(f"ONNX has no counterpart for TensorFlow's {', '.join(foreign)}")
