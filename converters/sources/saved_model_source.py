"""SavedModel folders. Their graphs can read and write files when run: open only those you trust."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import ModelError

from ..quiet import import_tensorflow, quiet_libraries
from .source_model import FitShape, SourceModel, choose_outputs, choose_tensor, telling_tensors
from .tensorflow_source import source_from_function

__all__ = ["ServingSignature", "load_signature", "open_saved_model"]

_SIGNATURES = ("serving_default", "serve")


def open_saved_model(
    path: Path, input_name: str, output_name: str | None, fit_input: FitShape
) -> SourceModel:
    """Open a SavedModel by its serving signature.

    Raises:
        ModelError: It cannot be loaded, has no serving signature, or has several tensors and none
            was named.
    """
    served = load_signature(path)
    taken = choose_tensor(path.name, "input", served.inputs, input_name)
    given = choose_outputs(path.name, served.outputs, output_name)
    with telling_tensors(path.name, served.inputs, served.outputs):
        fitted = TensorSpec(taken.name, fit_input(taken), taken.dtype)

    def run(batch: Any) -> list[Any]:
        answers = served.function(**{taken.name: batch})
        return [answers[spec.name] for spec in given]

    return source_from_function((path,), run, fitted, [spec.name for spec in given])


class ServingSignature(NamedTuple):
    """What a SavedModel serves.

    Attributes:
        function: TensorFlow's function of the inputs by name.
        inputs, outputs: Their tensors; open extents are None.
        model: The loaded model, whose variables live as long as it does.
    """

    function: Any
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    model: Any


def load_signature(path: Path) -> ServingSignature:
    """Load a SavedModel, and look what it serves.

    Raises:
        ModelError: It cannot be loaded, or has no serving signature.
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
    return ServingSignature(signature, inputs, outputs, loaded)


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
