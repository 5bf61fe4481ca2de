"""SavedModel folders. Their graphs can read and write files when run: open only those you trust."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import ModelError

from ..quiet import import_tensorflow, quiet_libraries
from .source_model import FitShape, SourceModel, choose_outputs, choose_tensor, telling_tensors
from .tensorflow_source import source_from_function

__all__ = ["open_saved_model"]

_SIGNATURES = ("serving_default", "serve")


def open_saved_model(
    path: Path, input_name: str, output_name: str | None, fit_input: FitShape
) -> SourceModel:
    """Open a SavedModel by its serving signature.

    Raises:
        ModelError: It cannot be loaded, has no serving signature, or has several tensors and none
            was named.
    """
    tensorflow = import_tensorflow()
    if not (path / "saved_model.pb").is_file():
        raise ModelError(f"{path} is a folder, but no SavedModel: it has no saved_model.pb")
    try:
        with quiet_libraries():
            loaded = tensorflow.saved_model.load(str(path))
    except (tensorflow.errors.OpError, OSError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise ModelError(f"TensorFlow cannot load the SavedModel {path}: {error}") from error
    signature = _signature(path, loaded)
    inputs, outputs = (
        _specs(tensors) for tensors in (signature.structured_input_signature[1], signature.structured_outputs)
    )
    taken = choose_tensor(path.name, "input", inputs, input_name)
    given = choose_outputs(path.name, outputs, output_name)
    with telling_tensors(path.name, inputs, outputs):
        fitted = TensorSpec(taken.name, fit_input(taken), taken.dtype)

    def run(batch: Any) -> list[Any]:
        answers = signature(**{taken.name: batch})
        return [answers[spec.name] for spec in given]

    return source_from_function((path,), run, fitted, [spec.name for spec in given])


def _signature(path: Path, loaded: Any) -> Any:
    for name in _SIGNATURES:
        if name in loaded.signatures:
            return loaded.signatures[name]
    names = ", ".join(sorted(loaded.signatures)) or "none"
    raise ModelError(
        f"the SavedModel {path} has no signature 'serving_default'",
        hint=f"it has: {names}; export it with model.export(FOLDER), or save it with signatures=",
    )


def _specs(tensors: Any) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(name, _extents(spec), spec.dtype.name) for name, spec in tensors.items())


def _extents(spec: Any) -> tuple[int | None, ...]:
    return () if spec.shape.rank is None else tuple(spec.shape.as_list())
