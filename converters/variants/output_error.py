"""How far the raw outputs of a variant are off from those of the float model, on some samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError
from edge_sdk.inference.open import open_backend

from ..quiet import quiet_libraries

__all__ = ["Half", "HeldOutError", "OutputError", "relative_error"]


class OutputError:
    """Compares models with one in float.

    Args:
        float_model: What is wanted.
        model_format: Of it and of all that is compared.
        samples: Tensors for the one input, batch of 1.
        name: What to call the models in errors.

    Raises:
        BackendError: The model does not run.
    """

    def __init__(
        self, float_model: bytes, model_format: ModelFormat, samples: Sequence[Array], name: str
    ) -> None:
        self._format: ModelFormat = model_format
        self._samples = samples
        self._name = name
        self._wanted = self._run(float_model)

    def of(self, content: bytes) -> float:
        """The relative error over all samples, of the output that is off most; infinite if one is not finite.

        Raises:
            ConversionError: The float model's own answers are not finite.
            BackendError: The model does not run.
        """
        given = self._run(content)
        return max(_error(wanted, given[name]) for name, wanted in self._wanted.items())

    def _run(self, content: bytes) -> dict[str, list[Array]]:
        """Raw outputs by name, one for each sample, by the engine that a device has."""
        # ONNX Runtime's int8 kernels saturate on some processors, and would mislead a search.
        plain = self._format == "onnx"
        with (
            quiet_libraries(),
            open_backend(content, self._format, reference_kernels=plain, name=self._name) as backend,
        ):
            taken = backend.inputs[0].name
            answers: dict[str, list[Array]] = {spec.name: [] for spec in backend.outputs}
            for sample in self._samples:
                for output, answer in backend.infer({taken: sample}).items():
                    answers[output].append(np.array(answer, copy=True))
        return answers


def _error(wanted: Sequence[Array], given: Sequence[Array]) -> float:
    """Over all samples, where a model may give more boxes of one than of another."""
    pairs = [_fitted(one, other) for one, other in zip(wanted, given, strict=True)]
    return relative_error(
        *(np.concatenate([part.reshape(-1) for part in side]) for side in zip(*pairs, strict=True))
    )


def _fitted(wanted: Array, given: Array) -> list[Array]:
    """Both in one shape; what one has too few of is 0 there."""
    shape = np.maximum(wanted.shape, given.shape)
    return [np.pad(value, [(0, extent) for extent in shape - value.shape]) for value in (wanted, given)]


class Half(NamedTuple):
    """A quantizer by the ranges of one half of the calibration tensors, and what judges it.

    Attributes:
        quantize: Makes the model with these operations in float.
        samples: Tensors of the other half.
    """

    quantize: Callable[[Sequence[str]], bytes]
    samples: Sequence[Array]


class HeldOutError:
    """Compares models of one way to make them, each with float on samples that it was not made from.

    Args:
        float_model, model_format, name: As for :class:`OutputError`.
        samples: For each model its own.

    Raises:
        BackendError: The model does not run.
    """

    def __init__(
        self, float_model: bytes, model_format: ModelFormat, samples: Sequence[Sequence[Array]], name: str
    ) -> None:
        self._errors = [OutputError(float_model, model_format, part, name) for part in samples]

    def of(self, contents: Iterable[bytes]) -> float:
        """The root of the mean square of the models' errors.

        Raises:
            ConversionError: The float model's own answers are not finite.
            BackendError: One does not run.
        """
        found = [error.of(content) for error, content in zip(self._errors, contents, strict=True)]
        return float(np.sqrt(np.mean(np.square(found))))


def relative_error(wanted: Array, given: Array) -> float:
    """Root of the squared differences' sum, relative to that of the wanted values.

    It is infinite where a given value is not finite: NaN compares as no error in ``max`` and ``min``.

    Raises:
        ConversionError: A wanted value is not finite.
    """
    size = float(np.sqrt(np.square(wanted, dtype=np.float64).sum()))
    if not math.isfinite(size):
        raise ConversionError(
            "the source's answers to its samples are not finite, so that nothing can be held against them",
            hint="see that samples are prepared as the model was trained",
        )
    off = float(np.sqrt(np.square(wanted.astype(np.float64) - given).sum()))
    if not math.isfinite(off):
        return math.inf
    return off / size if size > 0 else float(off > 0)
