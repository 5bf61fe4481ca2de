"""What a model's file tells of itself without a spec: what it takes and gives, and what it ends in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import BackendError, ModelError, UsageError
from edge_sdk.inference.open import open_backend

from ..sources.source_model import FinalActivation

__all__ = ["Signature", "read_signature"]


@dataclass(frozen=True, slots=True)
class Signature:
    """One model, or a feature extractor with the head that takes its output.

    Attributes:
        name: File name.
        inputs, outputs: Its tensors, batch axis included; open extents are None.
        final_activation: What its only output ends in; ``other`` where that cannot be told.
    """

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    final_activation: FinalActivation


def read_signature(paths: tuple[Path, ...]) -> Signature:
    """Open a model and look what it takes and gives; nothing is run.

    Args:
        paths: A ``.keras``, ``.tflite`` or ``.onnx`` file or a SavedModel folder; or two ``.keras`` files, a
            feature extractor and its head.

    Raises:
        UsageError: It is of no known kind.
        ModelError: It cannot be loaded.
        MissingExtraError: The library that reads it is not installed.
    """
    first, last = paths[0], paths[-1]
    if len(paths) == 2 or first.suffix == ".keras":
        return _keras(first, last)
    if first.is_dir():
        return _saved_model(first)
    if first.suffix in (".tflite", ".onnx"):
        return _ready(first)
    raise UsageError(
        f"{first} is no model that can be converted",
        hint="give a .keras, .tflite or .onnx file, or a SavedModel folder",
    )


def _keras(first: Path, last: Path) -> Signature:
    from ..sources.keras_source import input_specs, load_keras, output_specs

    front = load_keras(first)
    back = front if last == first else load_keras(last)
    return Signature(first.name, input_specs(front), output_specs(back), _keras_activation(back))


def _keras_activation(model: Any) -> FinalActivation:
    """The activation of the layer that gives the only output."""
    if len(model.outputs) != 1:
        return "other"
    layer = model.layers[-1]
    while getattr(layer, "layers", None):  # a model as the last layer of another
        layer = layer.layers[-1]
    if type(layer).__name__ == "Softmax":
        return "softmax"
    name = getattr(getattr(layer, "activation", None), "__name__", "")
    return "sigmoid" if name == "sigmoid" else "softmax" if name == "softmax" else "other"


def _saved_model(path: Path) -> Signature:
    from ..sources.saved_model_source import load_signature

    served = load_signature(path)
    return Signature(path.name, served.inputs, served.outputs, "other")


def _ready(path: Path) -> Signature:
    from ..sources.ready_source import activation_in

    model_format: ModelFormat = "tflite" if path.suffix == ".tflite" else "onnx"
    try:
        content = path.read_bytes()
        with open_backend(content, model_format, reference_kernels=True, name=path.name) as backend:
            inputs, outputs = tuple(backend.inputs), tuple(backend.outputs)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except BackendError as error:
        raise ModelError(error.message) from error
    ends_in = activation_in(content, model_format, outputs[0].name) if len(outputs) == 1 else "other"
    return Signature(path.name, inputs, outputs, ends_in)
