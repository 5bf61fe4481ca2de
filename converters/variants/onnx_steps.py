"""The range of the integers of a quantized ONNX tensor, and what is known to lie in it anyway."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge_sdk.errors import ConversionError

__all__ = ["Ranges", "Steps", "read_steps"]

_SAME_SCALE = 1e-4
_KNOWN = {
    "Relu": (0.0, math.inf),
    "Sigmoid": (0.0, 1.0),
    "HardSigmoid": (0.0, 1.0),
    "Softmax": (0.0, 1.0),
    "Tanh": (-1.0, 1.0),
}
_STAYS_WITHIN = frozenset(
    (
        *("AveragePool", "DepthToSpace", "Expand", "Flatten", "Gather", "GlobalAveragePool", "Identity"),
        *("MaxPool", "ReduceMax", "ReduceMean", "ReduceMin", "Relu", "Reshape", "Slice", "SpaceToDepth"),
        *("Split", "Squeeze", "Tile", "Transpose", "Unsqueeze"),
    )
)
"""What gives no value beyond those of its first input; padding counts in no pool of a ``.tflite``."""


@dataclass(frozen=True, slots=True)
class Steps:
    """What the integers of a tensor stand for.

    Attributes:
        scale: Real value of one step.
        least: Real value of the lowest integer.
        largest: Real value of the highest.
    """

    scale: float
    least: float
    largest: float

    def is_like(self, other: Steps) -> bool:
        """Whether both mean the same, as far as float32 can tell; uint8 or int8 is no matter."""
        return all(
            math.isclose(one, two, rel_tol=_SAME_SCALE, abs_tol=_SAME_SCALE * self.scale)
            for one, two in (
                (self.scale, other.scale),
                (self.least, other.least),
                (self.largest, other.largest),
            )
        )


def read_steps(node: Any, constants: Mapping[str, Any]) -> Steps:
    """Of a QuantizeLinear or DequantizeLinear of activations.

    Raises:
        ConversionError: They are no constants, or differ between channels.
    """
    import numpy as np
    from onnx import numpy_helper

    names = [name for name in node.input[1:] if name]
    if not names or any(name not in constants for name in names):
        raise ConversionError(f"the scale of its {node.op_type} of {node.output[0]!r} is no constant")
    scale, *rest = (numpy_helper.to_array(constants[name]) for name in names)
    zero_point = rest[0] if rest else np.zeros((), np.uint8)
    if scale.size != 1 or zero_point.size != 1:
        raise ConversionError(f"its {node.op_type} of {node.output[0]!r} has a scale for each channel")
    step, zero, limits = float(scale.item()), int(zero_point.item()), np.iinfo(zero_point.dtype)
    return Steps(step, (int(limits.min) - zero) * step, (int(limits.max) - zero) * step)


class Ranges:
    """Between which values the tensors of a float graph lie, as far as its operations tell.

    Args:
        constants: Of the graph.
    """

    def __init__(self, constants: Mapping[str, Any]) -> None:
        self._constants = constants
        self._found: dict[str, tuple[float, float]] = {}

    def set(self, name: str, least: float, largest: float) -> None:
        """Say where a tensor lies."""
        self._found[name] = least, largest

    def is_within(self, name: str, steps: Steps) -> bool:
        """Whether no value of a tensor is more than a step beyond the integers' range."""
        least, largest = self._of(name)
        return least >= steps.least - steps.scale and largest <= steps.largest + steps.scale

    def follow(self, node: Any) -> None:
        """Find where a node's outputs lie, from its inputs."""
        least, largest = _KNOWN.get(node.op_type, (-math.inf, math.inf))
        if node.op_type in _STAYS_WITHIN:
            below, above = self._of(node.input[0])
            least, largest = max(least, below), max(least, min(largest, above))
        elif node.op_type == "Concat":
            parts = [self._of(name) for name in node.input]
            least, largest = min(low for low, _ in parts), max(high for _, high in parts)
        elif node.op_type == "Clip":
            least, largest = self._limit(node, 1, -math.inf), self._limit(node, 2, math.inf)
        for name in node.output:
            self.set(name, least, largest)

    def _of(self, name: str) -> tuple[float, float]:
        return self._found.get(name, (-math.inf, math.inf))

    def _limit(self, node: Any, position: int, default: float) -> float:
        from onnx import numpy_helper

        name = node.input[position] if position < len(node.input) else ""
        if name not in self._constants:
            return default
        return float(numpy_helper.to_array(self._constants[name]).item())
