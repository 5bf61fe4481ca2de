"""Which tensors of a model are quantized, as TensorRT's documentation recommends it.

Inputs and weights of layers; not what a layer gives, which goes on into an activation, into a sum or out of
the network in full precision, and is quantized by the layer that reads it. Of a residual sum, the side
that does not come straight from a layer: the layer and the sum then become one kernel with an integer
result. The last layers stay in float where that costs next to nothing, and those of a detector always:
they give boxes and scores.

Source: NVIDIA TensorRT documentation, "Explicit Quantization", Q/DQ layer-placement recommendations.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from .onnx_graph import OnnxGraph, Reader, attribute_of

__all__ = ["LIGHT", "Placement", "place", "weight_axis", "weight_bytes"]

LIGHT = 0.1
"""The last layers are light if they hold at most this share of all weights."""


@dataclass(frozen=True)
class Placement:
    """What to quantize.

    Attributes:
        layers: Their input and weights.
        sums: One input of each of these.
    """

    layers: tuple[Any, ...]
    sums: tuple[Reader, ...]

    @property
    def activations(self) -> tuple[str, ...]:
        """The tensors whose ranges are needed, each once."""
        names = [node.input[0] for node in self.layers]
        names += [node.input[position] for node, position in self.sums]
        return tuple(dict.fromkeys(names))


def place(graph: OnnxGraph, *, heads_in_float: bool, float_names: Collection[str] = ()) -> Placement:
    """Choose what to quantize.

    Args:
        graph: The model in float32.
        heads_in_float: Keep the last layers in float, however heavy they are.
        float_names: Nodes to keep in float, too.
    """
    layers = [node for node in graph.nodes if graph.is_layer(node) and node.name not in float_names]
    heads = graph.last_layers
    if heads_in_float or _weights(graph, heads) <= LIGHT * _weights(
        graph, [node for node in graph.nodes if graph.is_layer(node)]
    ):
        kept = {id(node) for node in heads}
        layers = [node for node in layers if id(node) not in kept]
    integer = {id(node) for node in layers}
    sums = [reader for node in graph.nodes for reader in _residual(graph, node, integer)]
    return Placement(tuple(layers), tuple(reader for reader in sums if reader.node.name not in float_names))


def weight_axis(node: Any) -> int:
    """The axis of a layer's weights that its output channels are on."""
    if node.op_type == "Gemm":
        return 0 if attribute_of(node, "transB", 0) else 1
    return {"Conv": 0, "ConvTranspose": 1, "MatMul": -1}[node.op_type]


def weight_bytes(graph: OnnxGraph, node: Any) -> int:
    """Size of the weights that a layer reads, in float32."""
    return 4 * int(np.prod(graph.constants[node.input[1]].dims, dtype=np.int64))


def _weights(graph: OnnxGraph, layers: Collection[Any]) -> int:
    return sum(weight_bytes(graph, node) for node in layers)


def _residual(graph: OnnxGraph, node: Any, integer: Collection[int]) -> list[Reader]:
    """The sides of a sum of two activations between integer layers that are quantized."""
    if node.op_type != "Add" or any(name in graph.constants for name in node.input):
        return []
    above = [graph.layers_above(name) for name in node.input]
    below = graph.layers_below(node.output[0])
    if not all(any(id(layer) in integer for layer in side) for side in (*above, below)):
        return []
    straight = [
        position
        for position, name in enumerate(node.input)
        if name in graph.made_by
        and id(graph.made_by[name]) in integer
        and len(graph.read_by[name]) == 1
        and name not in graph.outputs
    ]
    return [Reader(node, position) for position in (0, 1) if position not in straight[-1:]]
