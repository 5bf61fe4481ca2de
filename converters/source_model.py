"""The trained model as it was given: the float reference that every variant is held against."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from edge_sdk.contract.manifest import ModelFormat, SourceFile
from edge_sdk.contract.values import Array, Float32Array, TensorSpec
from edge_sdk.errors import ModelError, UsageError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.tensor_fit import fit_shape

__all__ = ["FinalActivation", "FitShape", "SourceModel", "choose_tensor", "digest_path", "open_source"]

FinalActivation: TypeAlias = Literal["sigmoid", "softmax", "other"]
"""What the graph ends in, as far as its last operation tells."""

FitShape: TypeAlias = Callable[[TensorSpec], tuple[int, ...]]
"""From a model's input to the shape of one window's tensor, batch of 1; raises where none fits."""


@dataclass(frozen=True)
class SourceModel:
    """An opened model.

    Attributes:
        name: File name, for messages.
        files: What it was read from, by content.
        backend: The model in float, run by its own framework, or by reference kernels where it is
            taken as it is.
        input, output: The tensors in use, of possibly several; batch axis included.
        final_activation: What the graph ends in.
        function: A TensorFlow function of one input and one output, to convert; None for a model
            that is taken as it is.
        content: The file, for a model that is taken as it is.
        format: ... and its format.
        parts: The Keras models that were fused: feature extractor and head.
    """

    name: str
    files: tuple[SourceFile, ...]
    backend: Backend
    input: TensorSpec
    output: TensorSpec
    final_activation: FinalActivation
    function: Any | None = None
    content: bytes | None = None
    format: ModelFormat | None = None
    parts: tuple[Any, ...] = ()

    def batch(self, features: Float32Array) -> Float32Array:
        """One window's features as the model takes them, batch of 1."""
        return features.reshape(fit_shape(self.input, features.shape))

    def run(self, batch: Array) -> Array:
        """The model's raw output for one batch."""
        return self.backend.infer({self.input.name: batch})[self.output.name]

    def run_in_turn(self, batch: Array) -> Array:
        """The same from the models that were fused, one after the other."""
        for part in self.parts:
            batch = np.asarray(part(batch, training=False))
        return batch


@contextlib.contextmanager
def open_source(
    paths: tuple[Path, ...], *, input_name: str = "", output_name: str = "", fit_input: FitShape
) -> Iterator[SourceModel]:
    """Open a trained model.

    Args:
        paths: One ``.keras``, SavedModel folder, ``.tflite`` or ``.onnx``; or two ``.keras`` files,
            a feature extractor and a head that takes its output.
        input_name: Which input, where the model has several.
        output_name: Which output, where the model has several.
        fit_input: Holds the model's input against the spec.

    Raises:
        UsageError: There is no such file, or it is of no known kind.
        ModelError: It cannot be loaded, or has several tensors and none was named.
    """
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no model {path}")
    first = paths[0]
    if len(paths) == 2 or first.suffix == ".keras":
        from .keras_source import open_keras

        opened = open_keras(paths, fit_input)
    elif first.is_dir():
        from .saved_model_source import open_saved_model

        opened = open_saved_model(first, input_name, output_name, fit_input)
    elif first.suffix in (".tflite", ".onnx"):
        from .ready_source import open_ready

        opened = open_ready(first, input_name, output_name, fit_input)
    else:
        raise UsageError(
            f"{first} is no model that can be converted",
            hint="give a .keras, .tflite or .onnx file, or a SavedModel folder",
        )
    with contextlib.closing(opened.backend):
        yield opened


def digest_path(path: Path) -> SourceFile:
    """A file, or all files of a folder, by content."""
    if path.is_file():
        return SourceFile(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    members = sorted(member for member in path.rglob("*") if member.is_file())
    whole = hashlib.sha256()
    for member in members:
        content = hashlib.sha256(member.read_bytes()).hexdigest()
        whole.update(f"{member.relative_to(path).as_posix()}\0{content}\n".encode())
    return SourceFile(name=path.name, sha256=whole.hexdigest(), n=max(1, len(members)))


def choose_tensor(model: str, what: str, specs: tuple[TensorSpec, ...], name: str) -> TensorSpec:
    """The tensor of that name, or the only one.

    Raises:
        ModelError: There is none of that name, or several and none was named.
    """
    names = ", ".join(f"'{spec.name}' {list(spec.shape)}" for spec in specs)
    if name:
        for spec in specs:
            if spec.name == name:
                return spec
        raise ModelError(f"{model} has no {what} '{name}'", hint=f"it has {names}")
    if len(specs) != 1:
        raise ModelError(
            f"{model} has {len(specs)} {what}s", hint=f"name one as {what} under [model] in the spec: {names}"
        )
    return specs[0]
