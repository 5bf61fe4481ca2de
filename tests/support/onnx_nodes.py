"""Nodes appended to an ONNX graph, one call each."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from edge_sdk.contract.values import Array


class Nodes:
    """What is appended to a model with operator set 11.

    Args:
        model: It is changed.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._made = 0

    def __call__(
        self, kind: str, *inputs: str | float | list[int] | Array, outputs: int = 1, **attributes: Any
    ) -> str:
        """Append one node.

        Args:
            kind: Its operator.
            inputs: Names of tensors; numbers are constants of float32, lists those of int64.
            outputs: So many; the last is told.
            attributes: Of the operator.
        """
        names = [one if isinstance(one, str) else self._constant(one) for one in inputs]
        given = [self._name() for _ in range(outputs)]
        self._model.graph.node.append(helper.make_node(kind, names, given, **attributes))
        return given[-1]

    def part(self, tensor: str, start: int, end: int, axis: int = 1) -> str:
        """Some of a tensor along an axis."""
        return self("Slice", tensor, [start], [end], [axis])

    def joined(self, *tensors: str, axis: int = 1) -> str:
        """Tensors behind each other."""
        return self("Concat", *tensors, axis=axis)

    def log_share(self, shares: str) -> str:
        """Logarithms of shares, which are kept from 0, where there is none."""
        return self("Log", self("Clip", shares, 1e-7, 1.0))

    def logit(self, shares: str) -> str:
        """What a sigmoid makes these shares of, which are kept from 0 and 1."""
        inside = self("Clip", shares, 1e-7, 1 - 1e-7)
        return self("Log", self("Div", inside, self("Sub", 1.0, inside)))

    def finish(self, **outputs: tuple[str, tuple[int, ...]]) -> bytes:
        """The model with no other outputs than these: by name the tensor and its shape."""
        del self._model.graph.output[:]
        for name, (tensor, shape) in outputs.items():
            self._model.graph.node.append(helper.make_node("Identity", [tensor], [name]))
            self._model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        onnx.checker.check_model(self._model)
        return bytes(self._model.SerializeToString())

    def _name(self) -> str:
        self._made += 1
        return f"appended_{self._made}"

    def _constant(self, value: float | list[int] | Array) -> str:
        if isinstance(value, list):
            values = np.array(value, np.int64)
        elif isinstance(value, float | int):
            values = np.array(value, np.float32)
        else:
            values = value
        name = self._name()
        self._model.graph.initializer.append(numpy_helper.from_array(values, name))
        return name
