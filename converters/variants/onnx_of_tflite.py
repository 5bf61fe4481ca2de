"""From a ``.tflite`` that somebody else made to ``.onnx``, by tf2onnx; only where both then say the same."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError, MissingExtraError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import open_backend

from ..quiet import import_tensorflow, quiet_libraries
from ..sources.source_model import SourceModel
from .onnx_canonical import canonical_onnx
from .onnx_conversion import check_complete
from .onnx_float_ends import give_float_ends
from .onnx_opset import OPSET
from .output_error import relative_error
from .tflite_operations import read_ends, read_operations

__all__ = ["convert_tflite"]

_Answers: TypeAlias = "dict[str, Array]"

_SAME = 1e-3
"""Relative error of an output, over a few samples, that is still the same model."""

_SAME_INTEGERS, _OF_KERNELS = 0.03, 2.0
"""... where integer kernels round by steps; or so many times what TFLite's own two sets of kernels differ."""

_REFUSALS = (ValueError, RuntimeError, KeyError, TypeError, IndexError, AttributeError, AssertionError)
"""What tf2onnx throws at a model that it cannot convert, beside TensorFlow's own."""


def convert_tflite(source: SourceModel, samples: Sequence[Array]) -> bytes:
    """Convert, and hold the result against the original.

    What it takes and gives is float32, as its backend has it of the ``.tflite``, also where the file has
    integers there.

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
    wanted = _answers(source.backend, source, samples)
    error = _error_of(converted, "onnx", source, samples, wanted)
    allowed, told = _SAME, ""
    if not all(operation.is_float for operation in read_operations(content)):
        own = _error_of(content, "tflite", source, samples, wanted)
        allowed, told = max(_SAME_INTEGERS, _OF_KERNELS * own), f", and TFLite's own kernels by {own:.1%}"
    if not error <= allowed:
        raise ConversionError(f"tf2onnx makes a model whose answers are off by {error:.1%}{told}")
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
    give_float_ends(model, *read_ends(content))
    return canonical_onnx(model, source.input.name, names)


def _error_of(
    content: bytes, model_format: ModelFormat, source: SourceModel, samples: Sequence[Array], wanted: _Answers
) -> float:
    """Of the output that is off most, over all samples."""
    # ONNX Runtime's int8 kernels saturate on some processors, and would blame the conversion.
    plain = model_format == "onnx"
    with (
        quiet_libraries(),
        open_backend(content, model_format, reference_kernels=plain, name=model_format) as backend,
    ):
        given = _answers(backend, source, samples)
    return max((relative_error(value, given[name]) for name, value in wanted.items()), default=0.0)


def _answers(backend: Backend, source: SourceModel, samples: Sequence[Array]) -> _Answers:
    """Each output for all samples."""
    answers: dict[str, list[Array]] = {}
    for sample in samples:
        for name, value in backend.infer({source.input.name: sample}).items():
            answers.setdefault(name, []).append(value.copy().reshape(-1))
    return {name: np.concatenate(values) for name, values in answers.items()}
