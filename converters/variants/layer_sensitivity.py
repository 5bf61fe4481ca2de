"""int8 with those layers kept in float that are most sensitive to it, wherever they stand. For ONNX.

Each layer alone is made integer, and the error that it makes of the raw output on a few calibration tensors
is measured. In the order of these errors as few layers are kept in float as bring the error of the whole
down to an aim, found by bisection. An eighth of the layers is int8 in any case. Errors are those on tensors
that the ranges were not measured on: on the others nothing is ever cut off, and many a model would seem to
be near enough that is not. So it is models with the ranges of a half that are measured; what is made has the
ranges of both, and is not measured here. The evaluation set has no say in any of this.

Source: Wu et al., "Integer Quantization for Deep Learning Inference: Principles and Empirical Evaluation",
NVIDIA, 2020, partial quantization by a sensitivity analysis of one layer at a time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Protocol

from edge_sdk.console.progress import Progress
from edge_sdk.errors import ConversionError

from ..data.even_choice import spread
from .made import Made
from .mixed_precision import ERROR_AIMED_AT, LayerQuantizer, describe_mixed
from .output_error import Half, HeldOutError, OutputError

__all__ = ["PartialQuantizer", "make_mixed_by_sensitivity", "most_sensitive_first"]

_FEW = 8
"""Calibration tensors that tell how sensitive a layer is; the whole is judged by all that were kept."""

_MOST_IN_FLOAT = 7 / 8
"""Of the layers that int8 takes."""


class PartialQuantizer(LayerQuantizer, Protocol):
    """A quantizer that is cheap to ask once for each layer."""

    @property
    def integer_layers(self) -> Sequence[str]:
        """The layers that are integer where none is named to be kept in float, by name."""
        ...

    @property
    def halves(self) -> Sequence[Half]:
        """The quantizer by the ranges of one half of the calibration tensors, each with the other half."""
        ...

    @property
    def judged(self) -> str:
        """On what, and by which models, errors of the halves are told."""
        ...


def make_mixed_by_sensitivity(quantizer: PartialQuantizer, progress: Progress) -> Made:
    """Keep as few of the most sensitive layers in float as bring the error down to the aim.

    The aim is :data:`.mixed_precision.ERROR_AIMED_AT`. Where seven eighths of the layers do not bring the
    error down to it, they are what is kept, and the note says so.

    Args:
        quantizer: The model with its measured ranges.
        progress: Told what is measured and tried.

    Raises:
        ConversionError: A single layer could be int8.
        BackendError: The result does not run.
    """
    search = _Search(quantizer, progress)
    most = max(1, int(_MOST_IN_FLOAT * search.n_layers))
    counts = range(1, most + 1)
    found = bisect_left(counts, True, hi=most - 1, key=lambda n: search.error_with(n) <= ERROR_AIMED_AT)
    chosen = search.error_with(counts[found])
    content = quantizer.quantize(search.ordered[: counts[found]])
    return describe_mixed(quantizer, content, chosen, search.int8_error, quantizer.judged)


def most_sensitive_first(quantizer: PartialQuantizer, progress: Progress) -> list[str]:
    """The layers that could be int8, in the order of the error that each makes where it alone is.

    Args:
        quantizer: The model with its measured ranges.
        progress: Told about each layer.

    Raises:
        BackendError: A model does not run.
    """
    layers, name = quantizer.integer_layers, quantizer.mixed_variant
    half = quantizer.halves[0]
    errors = OutputError(quantizer.float_model, quantizer.format, spread(half.samples, _FEW), name)
    alone = {
        layer: errors.of(half.quantize([other for other in layers if other != layer]))
        for layer in progress.track(layers, f"{name}: measuring layers")
    }
    return sorted(layers, key=lambda layer: -alone[layer])


class _Search:
    """Makes one model with more or fewer of its most sensitive layers in float, and measures each once."""

    def __init__(self, quantizer: PartialQuantizer, progress: Progress) -> None:
        self.n_layers = len(quantizer.integer_layers)
        if self.n_layers < 2:
            raise ConversionError("a single layer of the model can be int8; there is nothing to mix")
        self._halves = quantizer.halves
        self._progress = progress
        self._name = quantizer.mixed_variant
        judges = [half.samples for half in self._halves]
        self._errors = HeldOutError(quantizer.float_model, quantizer.format, judges, self._name)
        self._n_in_float = sum(item.is_layer for item in quantizer.operations) - self.n_layers
        self.int8_error = self._error_of(())
        told = f"int8 is off by {self.int8_error:.1%}; looking for layers to keep in float"
        progress.step(f"{self._name}: {told}")
        self.ordered = most_sensitive_first(quantizer, progress)
        self._tried: dict[int, float] = {}

    def error_with(self, n_float: int) -> float:
        """The error with so many layers in float."""
        if n_float not in self._tried:
            self._tried[n_float] = error = self._error_of(self.ordered[:n_float])
            in_float, of_all = n_float + self._n_in_float, self.n_layers + self._n_in_float
            self._progress.step(
                f"{self._name}: off by {error:.1%} with {in_float} of {of_all} layers in float"
            )
        return self._tried[n_float]

    def _error_of(self, float_names: Sequence[str]) -> float:
        return self._errors.of(half.quantize(float_names) for half in self._halves)
