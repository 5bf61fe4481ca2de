"""An ONNX graph as quantization needs it: who makes and who reads each tensor, and where the layers are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

__all__ = [
    "DEQUANTIZE",
    "INTEGER_OPERATORS",
    "LAYERS",
    "QUANTIZE",
    "OnnxGraph",
    "Reader",
    "attribute_of",
    "is_quantized",
]

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"

LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
"""What does the arithmetic of a network, and can do it in integers."""

INTEGER_OPERATORS = (QUANTIZE, DEQUANTIZE, "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger")

_RECURRENT = ("LSTM", "GRU", "RNN", "Einsum")

_READS_BOXES = {"NonMaxSuppression": (0, 1), "RoiAlign": (1,), "MaxRoiPool": (1,)}
"""Which inputs are boxes, or what they score."""


class Reader(NamedTuple):
    """A node that reads a tensor, and as which of its inputs."""

    node: Any
    position: int


class OnnxGraph:
    """The main graph of a model; bodies of loops and branches count as one node.

    Args:
        model: ``onnx.ModelProto``. What is found here holds until its nodes are changed.
    """

    def __init__(self, model: Any) -> None:
        self.nodes: list[Any] = list(model.graph.node)
        self.constants: dict[str, Any] = {tensor.name: tensor for tensor in model.graph.initializer}
        self.outputs = {value.name for value in model.graph.output}
        self.made_by: dict[str, Any] = {name: node for node in self.nodes for name in node.output if name}
        self.read_by: dict[str, list[Reader]] = {}
        for node in self.nodes:
            for position, name in enumerate(_read_names(node)):
                if name:
                    self.read_by.setdefault(name, []).append(Reader(node, position))

    def is_layer(self, node: Any) -> bool:
        """Whether a node multiplies an activation with constant weights of two axes or more."""
        if node.op_type not in LAYERS or len(node.input) < 2:
            return False
        weight = self.constants.get(self.origin(node.input[1]))
        return weight is not None and len(weight.dims) > 1 and node.input[0] not in self.constants

    def origin(self, name: str) -> str:
        """The tensor behind the Q/DQ pair that a tensor comes from; itself, where it comes from none."""
        while name in self.made_by and self.made_by[name].op_type in (QUANTIZE, DEQUANTIZE):
            name = self.made_by[name].input[0]
        return name

    def dequantizer(self, name: str) -> Any | None:
        """The DequantizeLinear that gives a tensor."""
        node = self.made_by.get(name)
        return node if node is not None and node.op_type == DEQUANTIZE else None

    @cached_property
    def between_layers(self) -> set[int]:
        """The ``id`` of each node that has a layer before and after it, and of the layers themselves.

        What is left is the preparation of the input and the decoding of the output.
        """
        layers = {
            id(node)
            for node in self.nodes
            if self.is_layer(node) or node.op_type in LAYERS or node.op_type in _RECURRENT
        }
        after = self._reached(self.nodes, layers, self._makers)
        before = self._reached(reversed(self.nodes), layers, self._followers)
        return layers | (after & before)

    @cached_property
    def last_layers(self) -> list[Any]:
        """Layers after which no other comes, and those that give the boxes of a first stage."""
        layers = {id(node) for node in self.nodes if self.is_layer(node)}
        followed = self._reached(reversed(self.nodes), layers, self._followers) - self.box_decoding
        return [node for node in self.nodes if id(node) in layers and id(node) not in followed]

    @cached_property
    def box_decoding(self) -> set[int]:
        """The ``id`` of each node that makes boxes inside the graph, from the layers that give them on.

        A second stage that cuts these boxes out of the features may come behind.
        """
        found: set[int] = set()
        open_names = [
            node.input[position]
            for node in self.nodes
            for position in _READS_BOXES.get(node.op_type, ())
            if position < len(node.input)
        ]
        while open_names:
            node = self.made_by.get(open_names.pop())
            if node is None or id(node) in found:
                continue
            found.add(id(node))
            if node.op_type not in (*LAYERS, *_RECURRENT):
                open_names.extend(node.input)
        return found

    def layers_above(self, name: str) -> list[Any]:
        """The nearest layers that a tensor comes from, through nodes that are none."""
        found: list[Any] = []
        seen: set[str] = set()
        open_names = [name]
        while open_names:
            current = open_names.pop()
            node = self.made_by.get(current)
            if node is None or current in seen:
                continue
            seen.add(current)
            if self.is_layer(node):
                found.append(node)
            else:
                open_names.extend(node.input)
        return found

    def layers_below(self, name: str) -> list[Any]:
        """The nearest layers that a tensor goes to, through nodes that are none."""
        found: list[Any] = []
        seen: set[str] = set()
        open_names = [name]
        while open_names:
            current = open_names.pop()
            if current in seen:
                continue
            seen.add(current)
            for node, _ in self.read_by.get(current, ()):
                if self.is_layer(node):
                    found.append(node)
                else:
                    open_names.extend(node.output)
        return found

    def _reached(self, nodes: Iterable[Any], start: Collection[int], neighbours: Any) -> set[int]:
        """Nodes that have one of ``start`` among those that they depend on, in that direction."""
        reached: set[int] = set()
        for node in nodes:
            if any(id(other) in start or id(other) in reached for other in neighbours(node)):
                reached.add(id(node))
        return reached

    def _makers(self, node: Any) -> Iterator[Any]:
        for name in _read_names(node):
            if name in self.made_by:
                yield self.made_by[name]

    def _followers(self, node: Any) -> Iterator[Any]:
        for name in node.output:
            for reader in self.read_by.get(name, ()):
                yield reader.node


def attribute_of(node: Any, name: str, default: Any) -> Any:
    """The value of an attribute, or what it is by default."""
    from onnx import helper

    for attribute in node.attribute:
        if attribute.name == name:
            return helper.get_attribute_value(attribute)
    return default


def _read_names(node: Any) -> Iterator[str]:
    """What a node reads, also from inside its branches and loop bodies."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read_names(inner)


def is_quantized(content: bytes) -> bool:
    """Whether a model has integers inside: Q/DQ pairs or operators of another scheme."""
    import onnx

    kinds = {node.op_type for node in onnx.load_from_string(content).graph.node}
    return any(kind in INTEGER_OPERATORS or kind.startswith("QLinear") for kind in kinds)
