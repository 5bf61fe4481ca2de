"""From a ``.tflite`` that somebody else made to ``.onnx``, by tf2onnx; only where both then say the same."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError, MissingExtraError
from edge_sdk.inference.open import open_backend

from ..quiet import import_tensorflow, quiet_libraries
from ..sources.source_model import SourceModel
from .mixed_precision import relative_error
from .onnx_canonical import canonical_onnx
from .onnx_conversion import check_complete
from .onnx_opset import OPSET
from .tflite_operations import read_operations

__all__ = ["convert_tflite"]

_FLOAT_ERROR, _INTEGER_ERROR = 1e-3, 0.03
"""Relative error of an output, over a few samples, that is still the same model. Integer kernels
round by steps."""


def convert_tflite(source: SourceModel, samples: Sequence[Array]) -> bytes:
    """Convert, and hold the result against the original.

    Args:
        source: The ``.tflite``, opened.
        samples: What it is fed for a few samples.

    Raises:
        MissingExtraError: tf2onnx is not installed.
        ConversionError: tf2onnx refuses the model, or gives one that answers otherwise.
        BackendError: The result does not run.
    """
    content = source.content or b""
    converted = _convert(content, source)
    is_float = all(operation.is_float for operation in read_operations(content))
    allowed = _FLOAT_ERROR if is_float else _INTEGER_ERROR
    worst = _worst_error(converted, source, samples)
    if not worst <= allowed:
        raise ConversionError(f"tf2onnx makes a model whose answers are off by {worst:.1%}")
    return converted


def _convert(content: bytes, source: SourceModel) -> bytes:
    tensorflow = import_tensorflow()
    with quiet_libraries(), tempfile.TemporaryDirectory(prefix="edge-sdk-") as folder:
        try:
            import tf2onnx
        except ImportError as error:
            raise MissingExtraError("tf2onnx", "convert") from error
        path = Path(folder, "model.tflite")
        path.write_bytes(content)
        try:
            model, _ = tf2onnx.convert.from_tflite(str(path), opset=OPSET)
        except (tensorflow.errors.OpError, *_REFUSALS) as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ConversionError(f"tf2onnx refuses the model: {lines[0][:300]}") from error
    check_complete(model)
    names = [spec.name for spec in source.backend.outputs]
    if len(model.graph.output) != len(names) or len(model.graph.input) != 1:
        raise ConversionError("tf2onnx makes a model of other inputs and outputs")
    return canonical_onnx(model, source.input.name, names)


_REFUSALS = (ValueError, RuntimeError, KeyError, TypeError, IndexError, AttributeError, AssertionError)


def _worst_error(converted: bytes, source: SourceModel, samples: Sequence[Array]) -> float:
    worst = 0.0
    with quiet_libraries(), open_backend(converted, "onnx", name="onnx") as backend:
        for sample in samples:
            fed = {source.input.name: sample}
            wanted = {name: value.copy() for name, value in source.backend.infer(fed).items()}
            given = backend.infer(fed)
            worst = max(worst, *(relative_error(value, given[name]) for name, value in wanted.items()))
    return worst
