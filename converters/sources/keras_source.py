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
from .source_model import FitShape, SourceModel
from .tensorflow_source import source_from_function

__all__ = ["load_keras", "open_keras"]

_LOAD_ERRORS = (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError, zipfile.BadZipFile)


def open_keras(paths: tuple[Path, ...], fit_input: FitShape) -> SourceModel:
    """Open one model, or fuse a feature extractor and a head.

    Raises:
        ModelError: A file cannot be loaded, or does not have one input and one output.
    """
    models = [load_keras(path) for path in paths]
    if len(models) == 2:
        from .fuse import fuse

        model = fuse(models[0], models[1], paths[0].name, paths[1].name)
    else:
        model = models[0]
    name = paths[0].name
    taken = _only(name, "input", model.inputs)
    _only(paths[-1].name, "output", model.outputs)
    model_input = TensorSpec(_plain_name(taken.name), tuple(taken.shape), "float32")
    fitted = TensorSpec(model_input.name, fit_input(model_input), "float32")
    opened = source_from_function(paths, lambda batch: model(batch, training=False), fitted, "scores")
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


def _only(name: str, what: str, tensors: Any) -> Any:
    if len(tensors) != 1:
        raise ModelError(
            f"{name} has {len(tensors)} {what}s; one is supported",
            hint=f"wrap it: keras.Model(the one input, the one output), without the other {what}s",
        )
    return tensors[0]


def _plain_name(name: str) -> str:
    """A tensor name that both TensorFlow and ONNX accept."""
    plain = "".join(letter if letter.isalnum() else "_" for letter in name).strip("_")
    return plain if plain and plain[0].isalpha() else "features"
