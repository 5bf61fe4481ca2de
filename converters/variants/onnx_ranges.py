"""How large the activations of an ONNX model become on calibration tensors, measured in one pass.

ONNX Runtime's own calibrators find extremes in the graph, or keep every activation of every sample until the
end, of which they make histograms. Here one sample is held at a time, and large models are run in parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import open_backend

from ..quiet import quiet_libraries

__all__ = ["TensorRange", "measure_in_groups", "measure_peaks", "measure_ranges"]

_BINS = 2048
_MOST_VALUES = 200_000
"""Of one tensor and sample, so many values go into the histogram, evenly chosen; the largest is found in any
case."""

_LEAST_TOP = 2.0**-100
"""Of a histogram; what is smaller still would overflow what it is scaled by."""

_MOST_BYTES = 256 * 2**20
"""Activations that one run gives at most; beyond that the model is run several times for each sample."""


class TensorRange:
    """The magnitudes of one activation: a histogram from 0 to a power of two, and channel means.

    Args:
        name: Of its tensor, for errors.
    """

    def __init__(self, name: str = "") -> None:
        self._name = name
        self.peak = 0.0
        self._top = 0.0
        self._counts = np.zeros(_BINS, dtype=np.int64)
        self._sums: Any = 0.0
        self._channel_peaks: Any = 0.0
        self._n = 0

    def add(self, value: Array) -> None:
        """Take what it was for one sample, float32 with a batch axis.

        Raises:
            ConversionError: A value is not finite.
        """
        flat = np.abs(value.reshape(-1))
        peak = float(flat.max(initial=0.0))
        if not math.isfinite(peak):
            raise ConversionError(
                f"the tensor '{self._name}' has values that are not finite, and so no range for int8",
                hint="keep the model in float; or see that calibration samples are what it was trained on",
            )
        if peak > self._top:
            self._widen(peak)
        self.peak = max(self.peak, peak)
        step = -(-len(flat) // _MOST_VALUES) or 1
        bins_each = _BINS / self._top if self._top > 0 else 0.0  # zeros count before anything else was seen
        places = (flat[::step] * np.float32(bins_each)).astype(np.int32)
        self._counts += np.bincount(np.minimum(places, _BINS - 1), minlength=_BINS)
        self._sums = self._sums + _channel_means(value)
        self._channel_peaks = np.maximum(
            self._channel_peaks, np.abs(value).max(axis=_all_but_channels(value))
        )
        self._n += 1

    def largest(self, share: float) -> float:
        """The magnitude that this share of all values does not exceed; 0 where all are 0."""
        total = int(self._counts.sum())
        if total == 0:
            return 0.0
        place = int(np.searchsorted(np.cumsum(self._counts), share * total)) + 1
        return min(self.peak, place * self._top / _BINS)

    def merged(self, other: TensorRange) -> TensorRange:
        """As if one had been given what both were given."""
        found = TensorRange(self._name)
        found.peak = max(self.peak, other.peak)
        found._widen(found.peak)
        found._counts = self._counts_up_to(found._top) + other._counts_up_to(found._top)
        found._sums = self._sums + other._sums
        found._channel_peaks = np.maximum(self._channel_peaks, other._channel_peaks)
        found._n = self._n + other._n
        return found

    @property
    def channel_means(self) -> Array:
        """The mean of each channel (axis 1; the last of a matrix) over all samples, float64."""
        return np.asarray(self._sums / max(1, self._n), dtype=np.float64)

    @property
    def channel_peaks(self) -> Array:
        """The largest magnitude in each channel, float64."""
        return np.asarray(self._channel_peaks, dtype=np.float64)

    def _widen(self, peak: float) -> None:
        """Make the histogram reach so far; to a power of two, so that those of two ranges can be added."""
        top = max(_LEAST_TOP, 2.0 ** np.ceil(np.log2(peak))) if peak > 0 else 0.0
        self._counts = self._counts_up_to(top)
        self._top = top

    def _counts_up_to(self, top: float) -> Array:
        """The histogram, as it is where it reaches so far."""
        counts, reached = self._counts, self._top
        while 0 < reached < top:
            halved = counts.reshape(-1, 2).sum(axis=1)
            counts = np.concatenate([halved, np.zeros(_BINS // 2, dtype=np.int64)])
            reached *= 2
        return counts


def measure_ranges(
    model: Any, input_name: str, names: Sequence[str], samples: Iterable[Array]
) -> dict[str, TensorRange]:
    """Run a model over samples, and note what some of its tensors become.

    Args:
        model: ``onnx.ModelProto`` in float32 with shapes inferred; not changed.
        input_name: Its one input.
        names: Of float32 tensors, the input's among them where that is wanted.
        samples: Tensors for the input; gone through once.

    Raises:
        ConversionError: One of them is not finite.
        BackendError: The model does not run.
    """
    (ranges,) = measure_in_groups(model, input_name, names, ((0, sample) for sample in samples), n_groups=1)
    return ranges


def measure_in_groups(
    model: Any, input_name: str, names: Sequence[str], samples: Iterable[tuple[int, Array]], n_groups: int
) -> list[dict[str, TensorRange]]:
    """As :func:`measure_ranges`, apart for each group of samples, which come with their group's number."""
    groups = [{name: TensorRange(name) for name in names} for _ in range(n_groups)]
    parts = [
        _with_outputs(model, part) for part in _parts(model, [name for name in names if name != input_name])
    ]
    backends = [open_backend(content, "onnx", name="calibration") for content in parts]
    try:
        for group, sample in samples:
            for name, value in _values(backends, input_name, sample):
                if name in groups[group]:
                    groups[group][name].add(value)
    finally:
        for backend in backends:
            backend.close()
    return groups


def measure_peaks(
    model: Any, input_name: str, names: Sequence[str], samples: Iterable[Array]
) -> dict[str, float]:
    """As :func:`measure_ranges`, of the largest magnitude alone, which the model itself finds."""
    from onnx import ModelProto, TensorProto, helper

    probed = ModelProto()
    probed.CopyFrom(model)
    places = {f"peak of {name}": name for name in names if name != input_name}
    for peak, name in places.items():
        probed.graph.node.extend(
            [
                helper.make_node("Abs", [name], [f"magnitude of {name}"]),
                helper.make_node("ReduceMax", [f"magnitude of {name}"], [peak], keepdims=0),
            ]
        )
        probed.graph.output.append(helper.make_tensor_value_info(peak, TensorProto.FLOAT, []))
    peaks = dict.fromkeys(names, 0.0)
    with quiet_libraries(), open_backend(probed.SerializeToString(), "onnx", name="probe") as backend:
        for sample in samples:
            for name, value in _values([backend], input_name, sample):
                tensor = places.get(name, name)
                if tensor in peaks:
                    peaks[tensor] = max(peaks[tensor], float(np.abs(value).max(initial=0.0)))
    return peaks


def _values(backends: Sequence[Backend], input_name: str, sample: Array) -> Iterator[tuple[str, Array]]:
    yield input_name, sample
    for backend in backends:
        yield from backend.infer({input_name: sample}).items()


def _channel_means(value: Array) -> Array:
    return np.asarray(value.mean(axis=_all_but_channels(value), dtype=np.float64))


def _all_but_channels(value: Array) -> tuple[int, ...]:
    return tuple(axis for axis in range(value.ndim) if axis != (1 if value.ndim > 2 else value.ndim - 1))


def _parts(model: Any, names: Sequence[str]) -> list[list[str]]:
    """The names in groups whose tensors fit into memory together; at least one group."""
    shapes = {value.name: value.type.tensor_type.shape for value in model.graph.value_info}
    parts: list[list[str]] = [[]]
    size = 0
    for name in names:
        extents = [max(1, int(axis.dim_value)) for axis in shapes[name].dim] if name in shapes else []
        own = 4 * int(np.prod(extents, dtype=np.int64))
        if parts[-1] and size + own > _MOST_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(name)
        size += own
    return parts


def _with_outputs(model: Any, names: Sequence[str]) -> bytes:
    """The model with these tensors as its outputs, and no others."""
    from onnx import ModelProto

    described: Mapping[str, Any] = {
        value.name: value for value in (*model.graph.value_info, *model.graph.output)
    }
    changed = ModelProto()
    changed.CopyFrom(model)
    if names:
        changed.graph.ClearField("output")
        changed.graph.output.extend(described[name] for name in names)
    content: bytes = changed.SerializeToString()
    return content
