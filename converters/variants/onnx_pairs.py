"""Q/DQ pairs in an ONNX graph, of symmetric int8, in the form that TensorRT takes.

Every tensor that is quantized goes through QuantizeLinear and DequantizeLinear with zero point 0; weights
have a scale by output channel and stay float32 in the file, for TensorRT before 10 takes no others.
What rounding the weights adds to a layer's mean output is taken out of its bias.

Sources: the form, NVIDIA TensorRT documentation, "Explicit Quantization"; the correction, Nagel et al.,
"Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, by calibration data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edge_sdk.contract.values import Array

from .onnx_graph import OnnxGraph, attribute_of
from .onnx_layers import Placement, weight_axis
from .onnx_range_rules import RangeRule
from .onnx_ranges import TensorRange

__all__ = ["PairInserter"]

_STEPS = 127
"""Of int8, on each side of 0."""

_LEAST_SCALE = 1e-12
"""GPUs take smaller numbers for 0."""


class PairInserter:
    """Puts Q/DQ pairs into one model, each for one reader: TensorRT shares none.

    Args:
        model: ``onnx.ModelProto``; changed.
        graph: The same.
        ranges: What the activations were measured to be.
        rule: How their ranges follow from that.
        correct_biases: Take what rounded weights add to the mean of a layer's output out of its bias.
    """

    def __init__(
        self,
        model: Any,
        graph: OnnxGraph,
        ranges: Mapping[str, TensorRange],
        rule: RangeRule,
        *,
        correct_biases: bool,
    ) -> None:
        self._rule = rule
        self._correct_biases = correct_biases
        self._model = model
        self._graph = graph
        self._ranges = ranges
        self._inserted: dict[int, list[Any]] = {}

    def insert(self, placement: Placement) -> None:
        """Quantize what was chosen."""
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
        largest = self._rule.largest(self._ranges[node.input[position]])
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
