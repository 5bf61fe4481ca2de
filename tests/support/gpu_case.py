"""One model in one precision, with real inputs and the CPU's answers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gpu_engine import GpuEngine
from numpy.typing import NDArray

from edge_sdk.contract.values import Float32Array
from edge_sdk.inference.open import open_backend

__all__ = ["BOUNDS", "GpuCase", "relative"]

BOUNDS = {"float32": 1e-5, "float16": 1e-2, "int8": 1e-2}
"""Of the relative difference between two ways to compute the same ONNX. On the GPU against the CPU, where an
int8 rounding the other way moves a value by a whole step, it may be as far as int8 itself moved the
answer away from float32."""


def relative(given: Sequence[Float32Array], expected: Sequence[Float32Array]) -> float:
    """Largest distance of an output from what was expected, relative to its length."""
    pairs = [(a.astype(np.float64), b.astype(np.float64)) for a, b in zip(given, expected, strict=True)]
    return max(float(np.linalg.norm((a - b).ravel()) / np.linalg.norm(b.ravel())) for a, b in pairs)


@dataclass(frozen=True)
class GpuCase:
    """A model of one input and one output.

    Attributes:
        model, precision: As in ``gpu_models``.
        onnx: Content of its file.
        original: The same model in float32.
        input_name: Of its input tensor.
        inputs: Real windows or photos, each with a batch axis of 1.
    """

    model: str
    precision: str
    onnx: bytes
    original: bytes
    input_name: str
    inputs: tuple[Float32Array, ...]

    @property
    def tensors(self) -> dict[str, NDArray[Any]]:
        """The first input, by its name."""
        return {self.input_name: self.inputs[0]}

    def on_cpu(self, model: bytes) -> list[Float32Array]:
        """What ONNX Runtime's plain kernels say of the inputs."""
        with open_backend(model, "onnx", reference_kernels=True) as backend:
            return [
                next(iter(backend.infer({self.input_name: value}).values())).copy() for value in self.inputs
            ]

    def on_gpu(self, engine: GpuEngine) -> list[Float32Array]:
        """What an engine says of them."""
        return [next(iter(engine.run({self.input_name: value}).values())).copy() for value in self.inputs]
