"""One ONNX model in int8, as often as wanted, in the form that TensorRT takes: symmetric Q/DQ pairs.

Every tensor that is quantized goes through QuantizeLinear and DequantizeLinear with zero point 0; weights
have a scale by output channel and stay float32 in the file, for TensorRT before 10 takes no others.
What rounding the weights adds to a layer's mean output is taken out of its bias.

Sources: the form, NVIDIA TensorRT documentation, "Explicit Quantization"; the correction, Nagel et al.,
"Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, by calibration data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from edge_sdk.contract.manifest import ModelFormat
from edge_sdk.contract.values import Array
from edge_sdk.errors import ConversionError

from .kept_samples import MOST_SAMPLES, ThinnedSamples
from .made import Calibration
from .onnx_equalized import equalize_channels
from .onnx_graph import OnnxGraph, attribute_of
from .onnx_layers import Placement, place, weight_axis
from .onnx_operations import read_onnx_operations
from .onnx_prepared import PreparedOnnx
from .onnx_ranges import TensorRange, measure_ranges
from .tflite_operations import Operation

__all__ = ["OnnxQuantizer"]

_STEPS = 127
"""Of int8, on each side of 0."""

_EQUALIZED_ON = 32
"""Calibration tensors, the first ones; ranges are then measured on all."""

_LEAST_SCALE = 1e-12
"""GPUs take smaller numbers for 0."""


class OnnxQuantizer:
    """A model whose ranges have been measured.

    Args:
        prepared: What to convert.
        calibration: Tensors to measure ranges on; gone through once.
        heads_in_float: Keep its last layers in float, as a detector's must be.
        kept_share: Of an activation's values, this share is within its range; None for the range of the least
            squared error.
        correct_biases: Take what rounded weights add to the mean of a layer's output out of its bias.
        equalize: Give the channels between two layers one range where that costs nothing.

    Raises:
        ConversionError: There is nothing in it that could be int8.
        BackendError: The model does not run.
    """

    mixed_variant = "onnx-mixed"
    format: ModelFormat = "onnx"

    def __init__(
        self,
        prepared: PreparedOnnx,
        calibration: Calibration,
        *,
        heads_in_float: bool,
        kept_share: float | None = 0.9999,
        correct_biases: bool = True,
        equalize: bool = True,
    ) -> None:
        self._kept_share = kept_share
        self._correct_biases = correct_biases
        tensors = iter(calibration())
        first = list(islice(tensors, _EQUALIZED_ON)) if equalize else []
        self._prepared = prepared = equalize_channels(prepared, first)
        self._heads_in_float = heads_in_float
        self._samples = ThinnedSamples(MOST_SAMPLES)
        model = prepared.load()
        widest = place(OnnxGraph(model), heads_in_float=False)
        if not widest.layers:
            raise ConversionError("no layer of the model can be int8")

        def kept() -> Iterator[Array]:
            for tensor in chain(first, tensors):
                self._samples.add(tensor)
                yield tensor

        self._ranges = measure_ranges(model, prepared.input_name, widest.activations, kept())

    @property
    def float_model(self) -> bytes:
        """The model in float32, simplified."""
        return self._prepared.content

    @property
    def operations(self) -> list[Operation]:
        """Those of :attr:`float_model`, by whose names they are kept in float."""
        return self.read(self._prepared.content)

    @property
    def integer_layers(self) -> list[str]:
        """The layers that are integer where none is named to be kept in float, by name."""
        graph = OnnxGraph(self._prepared.load())
        return [node.name for node in place(graph, heads_in_float=self._heads_in_float).layers]

    def read(self, content: bytes) -> list[Operation]:
        """The operations of a model that was made."""
        return read_onnx_operations(content)

    def samples(self) -> Sequence[Array]:
        """Some of the calibration tensors, spread evenly over them."""
        return self._samples.kept

    def quantize(self, float_names: Sequence[str] = ()) -> bytes:
        """The ``.onnx`` in int8; input and outputs in float32.

        Args:
            float_names: Operations of :attr:`float_model` to keep in float.

        Raises:
            ConversionError: Nothing is left that could be int8.
        """
        model = self._prepared.load()
        graph = OnnxGraph(model)
        placement = place(graph, heads_in_float=self._heads_in_float, float_names=float_names)
        if not placement.layers:
            raise ConversionError("all layers of the model stay in float, as none comes before its last ones")
        rewriter = _Rewriter(
            model, graph, self._ranges, self._kept_share, correct_biases=self._correct_biases
        )
        rewriter.rewrite(placement)
        return self._prepared.finish(model)


class _Rewriter:
    """Puts Q/DQ pairs into one model, each for one reader: TensorRT shares none."""

    def __init__(
        self,
        model: Any,
        graph: OnnxGraph,
        ranges: dict[str, TensorRange],
        kept_share: float | None,
        *,
        correct_biases: bool,
    ) -> None:
        self._kept_share = kept_share
        self._correct_biases = correct_biases
        self._model = model
        self._graph = graph
        self._ranges = ranges
        self._inserted: dict[int, list[Any]] = {}

    def rewrite(self, placement: Placement) -> None:
        for node in placement.layers:
            self._quantize_layer(node)
        for node, position in placement.sums:
            self._quantize_activation(node, position)
        nodes = [item for node in self._graph.nodes for item in (*self._inserted.get(id(node), ()), node)]
        copies = [_copy(node) for node in nodes]
        del self._model.graph.node[:]
        self._model.graph.node.extend(copies)

    def _quantize_layer(self, node: Any) -> None:
        from onnx import numpy_helper

        name, activation = node.input[1], node.input[0]
        axis = weight_axis(node)
        weights = numpy_helper.to_array(self._graph.constants[name])
        axis %= weights.ndim
        others = tuple(other for other in range(weights.ndim) if other != axis)
        largest = np.abs(weights).max(axis=others).astype(np.float64)
        scales = np.where(largest > 0, np.maximum(largest / _STEPS, _LEAST_SCALE), 1.0).astype(np.float32)
        self._quantize_activation(node, 0)
        self._insert(node, 1, scales, axis)
        if self._correct_biases:
            error = _rounding_error(weights, scales, axis)
            self._correct_bias(node, error, self._ranges[activation].channel_means)

    def _quantize_activation(self, node: Any, position: int) -> None:
        found, share = self._ranges[node.input[position]], self._kept_share
        largest = found.best(_STEPS) if share is None else found.largest(share)
        scale = max(largest / _STEPS, _LEAST_SCALE) if largest > 0 else 1.0
        self._insert(node, position, np.array(scale, dtype=np.float32), None)

    def _insert(self, node: Any, position: int, scale: Array, axis: int | None) -> None:
        from onnx import helper

        taken = node.input[position]
        place_of = f"{node.name or node.output[0]}/{position}"
        attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
        constants = [
            self._constant(f"{place_of}/scale", scale),
            self._constant(f"{place_of}/zero", np.zeros(scale.shape, dtype=np.int8)),
        ]
        pair = [
            helper.make_node("QuantizeLinear", [taken, *constants], [f"{place_of}/int8"], **attributes),
            helper.make_node(
                "DequantizeLinear", [f"{place_of}/int8", *constants], [f"{place_of}/float"], **attributes
            ),
        ]
        self._inserted.setdefault(id(node), []).extend(pair)
        node.input[position] = f"{place_of}/float"

    def _correct_bias(self, node: Any, error: Array, means: Array) -> None:
        """Take what the rounded weights add to the mean of each output channel out of the bias."""
        from onnx import numpy_helper

        shift = _mean_shift(node, error, means)
        if shift is None:
            return
        has_bias = len(node.input) > 2 and node.input[2] != ""
        bias = numpy_helper.to_array(self._graph.constants[node.input[2]]) if has_bias else np.zeros(1)
        corrected = self._constant(f"{node.name or node.output[0]}/bias", (bias - shift).astype(np.float32))
        if has_bias:
            node.input[2] = corrected
        else:
            del node.input[2:]
            node.input.append(corrected)

    def _constant(self, name: str, value: Array) -> str:
        from onnx import numpy_helper

        self._model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name


def _rounding_error(weights: Array, scales: Array, axis: int) -> Array:
    """What is added to weights by rounding them, float64."""
    shape = [1] * weights.ndim
    shape[axis] = -1
    steps = scales.reshape(shape)
    rounded = np.clip(np.rint(weights / steps), -_STEPS - 1, _STEPS) * steps.astype(np.float64)
    return np.asarray(rounded - weights)


def _mean_shift(node: Any, error: Array, means: Array) -> Array | None:
    """Of a layer's mean output, by channel; None where it has no place for a correction.

    Pixels beyond the edge, which are 0, are taken for pixels of the mean: they are few.
    """
    if node.op_type == "Conv":
        by_channel = error.reshape(*error.shape[:2], -1).sum(axis=2)
        groups = int(attribute_of(node, "group", 1))
        per_group = means.reshape(groups, 1, -1)
        return np.asarray(
            (by_channel.reshape(groups, -1, by_channel.shape[1]) * per_group).sum(axis=2).reshape(-1)
        )
    plain = attribute_of(node, "alpha", 1.0) == attribute_of(node, "beta", 1.0) == 1.0
    if node.op_type == "Gemm" and plain and not attribute_of(node, "transA", 0):
        return np.asarray(error @ means if weight_axis(node) == 0 else means @ error)
    return None


def _copy(node: Any) -> Any:
    copied = type(node)()
    copied.CopyFrom(node)
    return copied
