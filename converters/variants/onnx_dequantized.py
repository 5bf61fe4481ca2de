"""A quantized ONNX model without its rounding: what ONNX of another precision can be made from.

Weights keep the values that they were rounded to; between the layers all is float32, cut off where the
integers ended: an activation may be nowhere else than in their range. Quantized again, with ranges that are
measured, it has the zero points of 0 that TensorRT wants and TFLite's int8 has not.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .onnx_graph import DEQUANTIZE, QUANTIZE, OnnxGraph, attribute_of
from .onnx_steps import Ranges, Steps, read_steps
from .quantized_already import quantized_already

__all__ = ["dequantize_onnx"]

_MOVES = frozenset(
    (
        *("Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "MaxPool", "Reshape"),
        *("Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"),
    )
)
"""What does the same to quantized numbers as to the values that they stand for."""


def dequantize_onnx(content: bytes) -> bytes:
    """Take the Q/DQ pairs out of a model; one that has none is given back as it is.

    Args:
        content: The ``.onnx``, of operator set 11 or later.

    Raises:
        ConversionError: An operation between them computes with the integers themselves, or there are
            integers that come from elsewhere.
    """
    import onnx

    model = onnx.load_from_string(content)
    graph = OnnxGraph(model)
    if not any(node.op_type in (QUANTIZE, DEQUANTIZE) for node in graph.nodes):
        return content
    kept = _WithoutPairs(model, graph).kept()
    del model.graph.node[:]
    model.graph.node.extend(kept)
    model.graph.ClearField("value_info")
    return bytes(model.SerializeToString(deterministic=True))


class _WithoutPairs:
    """The other nodes of a model, which read one another's values; weights become constants of it."""

    def __init__(self, model: Any, graph: OnnxGraph) -> None:
        self._model = model
        self._graph = graph
        self._same: dict[str, str] = {}
        self._integers: dict[str, Steps] = {}
        self._ranges = Ranges(graph.constants)
        self._kept: list[Any] = []

    def kept(self) -> list[Any]:
        """Copies of the nodes, in their order."""
        for node in self._graph.nodes:
            if node.op_type == QUANTIZE:
                self._quantized(node)
            elif node.op_type == DEQUANTIZE and node.input[0] in self._graph.constants:
                _fold(self._model, self._graph, node)
            elif node.op_type == DEQUANTIZE:
                self._dequantized(node)
            else:
                self._other(node)
        self._name_ends()
        return self._kept

    def _quantized(self, node: Any) -> None:
        source, name = self._value_of(node.input[0]), node.output[0]
        steps = self._integers[name] = read_steps(node, self._graph.constants)
        if self._ranges.is_within(source, steps):
            self._same[name] = source
        else:
            self._clip(source, name, steps)

    def _clip(self, source: str, name: str, steps: Steps) -> None:
        from onnx import helper, numpy_helper

        ends = {f"{name}/least": steps.least, f"{name}/largest": steps.largest}
        self._model.graph.initializer.extend(
            numpy_helper.from_array(np.array(value, np.float32), key) for key, value in ends.items()
        )
        self._kept.append(helper.make_node("Clip", [source, *ends], [name], name=f"{name}/clip"))
        self._ranges.set(name, steps.least, steps.largest)

    def _dequantized(self, node: Any) -> None:
        made_of = self._integers.get(node.input[0])
        if made_of is None or not made_of.is_like(read_steps(node, self._graph.constants)):
            raise quantized_already(
                f", and its {DEQUANTIZE} of {node.output[0]!r} reads integers that no {QUANTIZE} of the same "
                "scale made"
            )
        self._same[node.output[0]] = self._value_of(node.input[0])

    def _other(self, node: Any) -> None:
        if not self._integers.keys().isdisjoint(node.input):
            steps = self._moved(node)
            self._integers |= dict.fromkeys(filter(None, node.output), steps)
        copied = type(node)()
        copied.CopyFrom(node)
        copied.input[:] = [self._value_of(name) for name in node.input]
        self._kept.append(copied)
        self._ranges.follow(copied)

    def _moved(self, node: Any) -> Steps:
        """Of the integers that it gives."""
        moved = list(node.input if node.op_type == "Concat" else node.input[:1])
        found = [self._integers[name] for name in moved if name in self._integers]
        others = self._integers.keys() & set(node.input) - set(moved)
        if node.op_type not in _MOVES or others:
            raise quantized_already(f", and its {node.op_type} computes with the integers")
        if len(found) < len(moved) or not all(found[0].is_like(steps) for steps in found[1:]):
            raise quantized_already(f", and its {node.op_type} joins integers of other scales")
        return found[0]

    def _value_of(self, name: str) -> str:
        return self._same.get(name, name)

    def _name_ends(self) -> None:
        """Give what was behind an output's last pair by the output's name."""
        from onnx import helper

        names = {value.name for value in self._model.graph.output}
        if names & self._integers.keys():
            raise quantized_already(", and gives integers")
        made = {name for node in self._kept for name in node.output}
        renamed: dict[str, str] = {}
        for value in self._model.graph.output:
            source = self._value_of(value.name)
            if source == value.name:
                continue
            if source in made and source not in names and source not in renamed:
                renamed[source] = value.name
            else:  # it has a name already that somebody reads
                source = renamed.get(source, source)
                self._kept.append(helper.make_node("Identity", [source], [value.name], name=value.name))
        for node in self._kept:
            node.input[:] = [renamed.get(name, name) for name in node.input]
            node.output[:] = [renamed.get(name, name) for name in node.output]


def _fold(model: Any, graph: OnnxGraph, node: Any) -> None:
    """Put the values of quantized weights in their place."""
    from onnx import numpy_helper

    values, scale, *rest = (numpy_helper.to_array(graph.constants[name]) for name in node.input if name)
    zero_point = rest[0] if rest else np.zeros((), dtype=values.dtype)
    if scale.size > 1:
        axis = attribute_of(node, "axis", 1) % values.ndim
        channels = [-1 if place == axis else 1 for place in range(values.ndim)]
        scale, zero_point = scale.reshape(channels), zero_point.reshape(channels if zero_point.ndim else ())
    real = (values.astype(np.float32) - zero_point.astype(np.float32)) * scale.astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(real.astype(np.float32), node.output[0]))
