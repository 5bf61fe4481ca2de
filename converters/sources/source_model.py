"""The trained model as it was given: the float reference that every variant is held against."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from edge_sdk.console.foreign_text import valid_text
from edge_sdk.contract.manifest import ModelFormat, SourceFile
from edge_sdk.contract.values import Array, Float32Array, TensorSpec
from edge_sdk.errors import ModelError, SpecError
from edge_sdk.inference.backend import Backend, describe_tensor
from edge_sdk.inference.tensor_fit import fit_shape

from .flat_graph import FlatGraph

__all__ = [
    "FinalActivation",
    "FitShape",
    "SourceModel",
    "TracedModel",
    "choose_outputs",
    "choose_tensor",
    "digest_path",
    "telling_tensors",
]

_PART_BYTES = 1024 * 1024

FinalActivation: TypeAlias = Literal["sigmoid", "softmax", "other"]
"""What the graph ends in, as far as its last operation tells."""

FitShape: TypeAlias = Callable[[TensorSpec], tuple[int, ...]]
"""From a model's input to the shape of one sample's tensor, batch of 1; raises where none fits."""


@dataclass(frozen=True, slots=True)
class TracedModel:
    """What variants are converted from.

    Attributes:
        flat: The model as one graph of operations, with the variables that it reads.
        function: A concrete function of that; it does not keep the variables alive by itself.
        input: That tensor; its name is the function's argument.
        outputs: What it gives, in its order.
    """

    flat: FlatGraph
    function: Any
    input: TensorSpec
    outputs: tuple[TensorSpec, ...]


@dataclass(frozen=True)
class SourceModel:
    """An opened model.

    Attributes:
        name: File name, for messages.
        files: What it was read from, by content.
        backend: The model in float, run by its own framework, or by reference kernels where it is
            taken as it is.
        input: What it is fed; batch axis included.
        outputs: The outputs in use, of possibly more: one for a classifier.
        final_activation: What the first of them ends in.
        traced: What variants are converted from; None for a model that is taken as it is.
        content: The file, for a model that is taken as it is.
        format: ... and its format.
        parts: The Keras models that were fused: feature extractor and head.
    """

    name: str
    files: tuple[SourceFile, ...]
    backend: Backend
    input: TensorSpec
    outputs: tuple[TensorSpec, ...]
    final_activation: FinalActivation
    traced: TracedModel | None = None
    content: bytes | None = None
    format: ModelFormat | None = None
    parts: tuple[Any, ...] = ()

    @property
    def output(self) -> TensorSpec:
        """The first of the outputs in use: a classifier's only one."""
        return self.outputs[0]

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


def digest_path(path: Path) -> SourceFile:
    """A file, or all files of a folder, by content."""
    if path.is_file():
        return SourceFile(name=valid_text(path.name), sha256=_sha256(path))
    members = sorted(member for member in path.rglob("*") if member.is_file())
    whole = hashlib.sha256()
    for member in members:
        whole.update(os.fsencode(f"{member.relative_to(path).as_posix()}\0{_sha256(member)}\n"))
    return SourceFile(name=valid_text(path.name), sha256=whole.hexdigest(), n=max(1, len(members)))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            digest.update(part)
    return digest.hexdigest()


def choose_outputs(model: str, specs: tuple[TensorSpec, ...], name: str | None) -> tuple[TensorSpec, ...]:
    """All outputs where no name is given, as for a detector; else the one that is named, or the only one.

    Raises:
        ModelError: There is none of that name, or several and the name is empty.
    """
    return specs if name is None else (choose_tensor(model, "output", specs, name),)


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


@contextlib.contextmanager
def telling_tensors(
    model: str, inputs: Iterable[TensorSpec], outputs: Iterable[TensorSpec]
) -> Iterator[None]:
    """Add all inputs and outputs of a model to what is said against the spec within."""
    try:
        yield
    except SpecError as error:
        listed = [f"  takes {describe_tensor(spec)}" for spec in inputs]
        listed += [f"  gives {describe_tensor(spec)}" for spec in outputs]
        raise SpecError("\n".join([error.message, f"{model}", *listed]), hint=error.hint) from error
