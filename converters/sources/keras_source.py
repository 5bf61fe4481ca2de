"""Keras 3 ``.keras`` files, one or a feature extractor with its head.

Loaded with Keras's ``safe_mode`` on: a ``.keras`` file that carries Python code is refused.
"""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import MissingExtraError, ModelError

from ..quiet import import_tensorflow, quiet_libraries
from .source_model import FitShape, SourceModel, choose_outputs, telling_tensors
from .tensorflow_source import source_from_function

__all__ = ["input_specs", "load_keras", "open_keras", "output_specs", "plain_name"]

_LOAD_ERRORS = (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError, zipfile.BadZipFile)


def open_keras(paths: tuple[Path, ...], output_name: str | None, fit_input: FitShape) -> SourceModel:
    """Open one model, or fuse a feature extractor and a head.

    Args:
        paths: One file or two.
        output_name: Which output, where a classifier has several; None for all of a detector's.
        fit_input: Holds the model's input against the spec.

    Raises:
        ModelError: A file cannot be loaded, has several inputs, or several outputs and none was named.
    """
    models = [load_keras(path) for path in paths]
    if len(models) == 2:
        from .fuse import fuse

        model = fuse(models[0], models[1], paths[0].name, paths[1].name)
    else:
        model = models[0]
    name = paths[0].name
    if len(model.inputs) != 1:
        raise ModelError(
            f"{name} has {len(model.inputs)} inputs; one is supported",
            hint="wrap it: keras.Model(the one input, the outputs), without the other inputs",
        )
    (taken,) = input_specs(model)
    given = output_specs(model)
    chosen = choose_outputs(name, given, output_name)
    with telling_tensors(name, [taken], given):
        fitted = TensorSpec(taken.name, fit_input(taken), taken.dtype)
    places = [given.index(spec) for spec in chosen]

    def run(batch: Any) -> list[Any]:
        answers = _flattened(model(batch, training=False))
        return [answers[place] for place in places]

    opened = source_from_function(paths, run, fitted, [spec.name for spec in chosen])
    return replace(opened, parts=tuple(models)) if len(models) == 2 else opened


def load_keras(path: Path) -> Any:
    """Load a ``.keras`` file, refusing any Python code in it.

    Raises:
        ModelError: It is missing, damaged, or needs code that is not Keras's own.
    """
    if not path.is_file() or path.suffix != ".keras":
        raise ModelError(f"{path} is no .keras file", hint="save it with model.save('NAME.keras')")
    import_tensorflow()
    try:
        import keras
    except ImportError as error:
        raise MissingExtraError("keras", "convert") from error
    try:
        with quiet_libraries():
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except _LOAD_ERRORS as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"Keras cannot load {path}: {reason}",
            hint="a model with layers of its own code: model.export(FOLDER), and give that SavedModel folder",
        ) from error


def plain_name(name: str) -> str:
    """A tensor name that TensorFlow, TFLite and ONNX accept."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in name).strip("_")
    return plain if plain and plain[0].isalpha() else "features"


def input_specs(model: Any) -> tuple[TensorSpec, ...]:
    """The inputs in Keras's flat order; open extents, as of the batch axis, are None."""
    return tuple(
        TensorSpec(plain_name(tensor.name), tuple(tensor.shape), _dtype(tensor)) for tensor in model.inputs
    )


def output_specs(model: Any) -> tuple[TensorSpec, ...]:
    """The outputs in Keras's flat order; a single one is called ``scores``, whatever layer it is from."""
    if len(model.outputs) == 1:
        names = ["scores"]
    elif isinstance(model.output, dict):
        names = [plain_name(key) for key in sorted(model.output)]
    else:
        names = [plain_name(name) for name in model.output_names]
    if len(set(names)) != len(model.outputs):
        names = [f"output_{number}" for number in range(len(model.outputs))]
    return tuple(
        TensorSpec(name, tuple(tensor.shape), _dtype(tensor))
        for name, tensor in zip(names, model.outputs, strict=True)
    )


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype)


def _flattened(answers: Any) -> list[Any]:
    import keras

    flat: list[Any] = keras.tree.flatten(answers)
    return flat
