"""Channels of one range between two convolutions, so that one scale of int8 suits them all.

A depthwise convolution often leaves one channel a hundred times as large as another, and a single scale then
has no steps for the small ones. Where nothing but the next convolution reads it, straight or through a ReLU,
each channel can be divided by a number in the one and multiplied by it in the other: what the model answers
stays the same. The number is such that channels and the weights that they meet come out equally large.

Sources: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019; by
ranges of activations, Xiao et al., "SmoothQuant", 2023, with their strength of migration of 0.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from edge_sdk.contract.values import Array

from .kept_samples import ThinnedSamples
from .made import Calibration
from .onnx_graph import OnnxGraph, attribute_of
from .onnx_prepared import PreparedOnnx
from .onnx_ranges import measure_ranges

__all__ = ["equalize_channels"]

_SAMPLES = 32
"""Calibration tensors to measure channels on, at most."""

_MOST = 1e3
"""A channel is made at most that much larger against another; what is smaller adds nothing."""


class _Pair(NamedTuple):
    """A convolution, and the only one that reads what it gives."""

    first: Any
    second: Any


def equalize_channels(prepared: PreparedOnnx, calibration: Calibration) -> PreparedOnnx:
    """The same model with equal channels wherever that costs nothing.

    Args:
        prepared: The model in float32.
        calibration: Tensors to measure the channels on, a few chosen evenly from all; gone through once where
            there are channels to equalize, else not at all.

    Raises:
        BackendError: The model does not run.
    """
    model = prepared.load()
    graph = OnnxGraph(model)
    pairs = list(_pairs(graph))
    if not pairs:
        return prepared
    samples = ThinnedSamples(_SAMPLES)
    for tensor in calibration():
        samples.add(tensor)
    if not samples.kept:
        return prepared
    names = [pair.second.input[0] for pair in pairs]
    ranges = measure_ranges(model, prepared.input_name, names, samples.kept)
    for pair in pairs:
        _equalize(model, graph, pair, ranges[pair.second.input[0]].channel_peaks)
    return replace(prepared, content=prepared.finish(model))


def _pairs(graph: OnnxGraph) -> Iterator[_Pair]:
    for node in graph.nodes:
        if node.op_type != "Conv" or not graph.is_layer(node):
            continue
        reader = _only_reader(graph, node.output[0])
        if reader is not None and reader.op_type == "Relu":
            reader = _only_reader(graph, reader.output[0])
        if reader is None or reader.op_type != "Conv" or not graph.is_layer(reader):
            continue
        if attribute_of(reader, "group", 1) == 1:
            yield _Pair(node, reader)


def _only_reader(graph: OnnxGraph, name: str) -> Any | None:
    readers = graph.read_by.get(name, [])
    if len(readers) != 1 or name in graph.outputs or readers[0].position != 0:
        return None
    return readers[0].node


def _equalize(model: Any, graph: OnnxGraph, pair: _Pair, peaks: Array) -> None:
    from onnx import numpy_helper

    def values(name: str) -> Array:
        return np.asarray(numpy_helper.to_array(graph.constants[name]), dtype=np.float64)

    def store(node: Any, position: int, changed: Array) -> None:
        name = f"equalized {position} of {node.output[0]}, {len(model.graph.initializer)}"
        graph.constants[name] = tensor = numpy_helper.from_array(changed.astype(np.float32), name)
        model.graph.initializer.append(tensor)
        node.input[position] = name

    first, second = pair
    weights = values(second.input[1])
    met = np.abs(weights).max(axis=(0, *range(2, weights.ndim)))
    scales = _scales(peaks, met)
    store(second, 1, weights * scales.reshape(1, -1, *[1] * (weights.ndim - 2)))
    own = values(first.input[1])
    store(first, 1, own / scales.reshape(-1, *[1] * (own.ndim - 1)))
    if len(first.input) > 2 and first.input[2]:
        store(first, 2, values(first.input[2]) / scales)


def _scales(peaks: Array, met: Array) -> Array:
    """What to divide each channel by, around 1; channels that are 0 or meet no weight stay as they are."""
    counts = (peaks > peaks.max(initial=0.0) / _MOST) & (met > met.max(initial=0.0) / _MOST)
    scales = np.ones_like(peaks)
    if counts.any():
        found = np.sqrt(peaks[counts] / met[counts])
        scales[counts] = found / np.exp(np.log(found).mean())
    return scales
