"""int8 with the layers kept in float that need it: the first ones, and a light end. For TFLite.

A conversion takes TensorFlow's converter seconds, so that few are tried; where it is cheap, layers are
chosen one by one (:mod:`.layer_sensitivity`).

An error of the first layers goes through all others, and they hold few weights. So as many layers
from the input on are kept in float as it takes to bring the error on calibration tensors down to an
aim; by bisection, in a few conversions, and at most seven eighths of the layers. The end of the
network is kept in float where that costs next to nothing: its ranges are those of whole features, and
what calibration has not shown is cut off there, which an error measured on calibration cannot tell.
The evaluation set has no say in any of this.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from edge_sdk.console.progress import Progress
from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError

from .made import Made
from .output_error import OutputError, relative_error
from .tflite_operations import Operation

__all__ = [
    "ERROR_AIMED_AT",
    "LayerQuantizer",
    "bound_by_range",
    "describe_mixed",
    "first_layers",
    "light_end",
    "make_mixed",
    "relative_error",
]

ERROR_AIMED_AT = 0.03
"""Of the raw output on calibration tensors, relative: see :func:`.output_error.relative_error`."""

_RUNS = 8
_MOST_RUNS = 7
"""The first layers are kept in float by runs of an eighth of all layers, at most seven. The last
eighth is int8 in any case; it often holds half of the weights."""

_LIGHT = 0.1
"""The end of a network is light if it holds at most this share of all weights."""


class LayerQuantizer(Protocol):
    """One model whose ranges have been measured, and that can be made in int8 but for some layers.

    Attributes:
        mixed_variant: What to call what comes out.
        format: Of its files.
    """

    mixed_variant: str
    format: ModelFormat

    @property
    def float_model(self) -> bytes:
        """The file in float."""
        ...

    @property
    def operations(self) -> list[Operation]:
        """Those of the float model, by whose names they are kept in float."""
        ...

    def read(self, content: bytes, /) -> list[Operation]:
        """The operations of a model that was made."""
        ...

    def samples(self) -> Sequence[Array]:
        """Some of the calibration tensors."""
        ...

    def quantize(self, float_names: Sequence[str] = (), /) -> bytes:
        """The file in int8, with these operations in float."""
        ...


def make_mixed(quantizer: LayerQuantizer, progress: Progress) -> Made:
    """Keep as few of the first layers in float as bring the error down to :data:`ERROR_AIMED_AT`.

    Where seven eighths of the layers do not bring it down, they are what is kept, and the note says so.

    Args:
        quantizer: The model with its measured ranges.
        progress: Told what is tried.

    Raises:
        ConversionError: The model has a single layer, or the converter refuses it.
        BackendError: The result does not run.
    """
    search = _Search(quantizer)
    name = quantizer.mixed_variant
    progress.step(f"{name}: int8 is off by {search.int8_error:.1%}; looking for layers to keep in float")
    tried: dict[int, _Attempt] = {}

    def attempt(kept: int) -> _Attempt:
        if kept not in tried:
            tried[kept] = search.attempt(kept)
            error = f"off by {tried[kept].error:.1%}"
            progress.step(f"{name}: {error} with the first {kept} of {search.n_layers} layers in float")
        return tried[kept]

    counts = search.counts
    found = bisect_left(counts, True, hi=len(counts) - 1, key=lambda kept: attempt(kept).is_enough)
    chosen = attempt(counts[found])
    judged = f"on {len(quantizer.samples())} calibration tensors"
    return describe_mixed(quantizer, chosen.content, chosen.error, search.int8_error, judged)


def describe_mixed(
    quantizer: LayerQuantizer, content: bytes, error: float, int8_error: float, judged: str
) -> Made:
    """What was found, with the layers that really are float.

    Args:
        quantizer: What made it.
        content: The file.
        error: Of it.
        int8_error: Without layers that were chosen to be in float.
        judged: On what these were measured, and by which models.
    """
    layers = [operation for operation in quantizer.read(content) if operation.is_layer]
    note = (
        f"{_describe([layer.is_float for layer in layers])} in float; off by {error:.1%} {judged}, "
        f"int8 by {int8_error:.1%}"
    )
    if error > ERROR_AIMED_AT:
        note += f"; the aim of {ERROR_AIMED_AT:.0%} is not reached"
    return Made(content, note, tuple(layer.short_name for layer in layers if layer.is_float))


@dataclass(frozen=True, slots=True)
class _Attempt:
    content: bytes
    error: float

    @property
    def is_enough(self) -> bool:
        return self.error <= ERROR_AIMED_AT


class _Search:
    """Converts one model with different layers in float, and measures each."""

    def __init__(self, quantizer: LayerQuantizer) -> None:
        self._quantizer = quantizer
        self._operations = quantizer.operations
        self.n_layers = sum(operation.is_layer for operation in self._operations)
        if self.n_layers < 2:
            raise ConversionError("a model of one layer is either int8 or float; there is nothing to mix")
        light = light_end(self._operations)
        ends: tuple[list[Operation], ...] = ([*light, *bound_by_range(self._operations, light)], light, [])
        self._end, self.counts = next(
            (end, counts) for end in ends if (counts := _counts_of_first_layers(self.n_layers, end))
        )
        self.samples = quantizer.samples()
        self._errors = OutputError(
            quantizer.float_model, quantizer.format, self.samples, quantizer.mixed_variant
        )
        self.int8_error = self._errors.of(quantizer.quantize())

    def attempt(self, kept: int) -> _Attempt:
        """The model with so many first layers and the light end in float, and its error."""
        chosen = (*first_layers(self._operations, kept), *self._end)
        content = self._quantizer.quantize(list(dict.fromkeys(operation.name for operation in chosen)))
        return _Attempt(content, self._errors.of(content))


def first_layers(operations: Sequence[Operation], n: int) -> list[Operation]:
    """The operations up to and with the ``n``-th layer."""
    reached, chosen = 0, []
    for operation in operations:
        if reached == n:
            break
        chosen.append(operation)
        reached += operation.is_layer
    return chosen


def light_end(operations: Sequence[Operation]) -> list[Operation]:
    """The last operations that together hold at most a tenth of the weights; at most a run of layers."""
    most_bytes = _LIGHT * sum(operation.weight_bytes for operation in operations)
    most_layers = _run_length(sum(operation.is_layer for operation in operations))
    chosen: list[Operation] = []
    for operation in reversed(operations):
        chosen.append(operation)
        if (
            sum(item.weight_bytes for item in chosen) > most_bytes
            or sum(item.is_layer for item in chosen) > most_layers
        ):
            chosen.pop()
            break
    return chosen[::-1]


def bound_by_range(operations: Sequence[Operation], chosen: Sequence[Operation]) -> list[Operation]:
    """What feeds the chosen operations through a common range, as the parts of a concatenation do.

    The quantizer gives the parts the range of the whole even where the whole stays in float, so
    that a part of small values beside one of large values would lose all its steps.
    """
    made_by = {operation.name: operation for operation in operations}
    found = dict.fromkeys(chosen)

    def feeding(operation: Operation) -> list[Operation]:
        return [made_by[name] for name in operation.reads if name in made_by]

    waiting = [operation for operation in chosen if operation.has_one_range and len(feeding(operation)) > 1]
    while waiting:
        new = [part for part in feeding(waiting.pop()) if part not in found]
        found |= dict.fromkeys(new)
        waiting += [part for part in new if part.has_one_range]
    return [operation for operation in found if operation not in chosen]


def _counts_of_first_layers(n_layers: int, end: Sequence[Operation]) -> list[int]:
    """What is tried, from few to many; at least one layer is left in int8."""
    run = _run_length(n_layers)
    most = min(_MOST_RUNS * run, n_layers - 1 - sum(operation.is_layer for operation in end))
    return list(range(run, most + 1, run))


def _run_length(n_layers: int) -> int:
    return max(1, n_layers // _RUNS)


def _describe(are_float: Sequence[bool]) -> str:
    """Which layers are float; read from the result, not from what was asked for."""
    first = sum(1 for _ in takewhile(bool, are_float))
    last = sum(1 for _ in takewhile(bool, reversed(are_float[first:])))
    if first + last != sum(are_float):
        return f"{sum(are_float)} of {len(are_float)} layers"
    at_the_end = f" and the last {last}" if last else ""
    return f"the first {first}{at_the_end} of {len(are_float)} layers"
