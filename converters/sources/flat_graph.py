"""A TensorFlow function as one graph of operations: calls inlined, small variables as constants.

A graph with all its weights in it is copied with them by every library that it goes through, a dozen
times over. So large weights stay where they are: a placeholder stands for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..quiet import import_tensorflow

__all__ = ["FlatGraph", "flatten"]

_LARGE_BYTES = 1 << 18
"""Biases, means and scales are far smaller; graphs are simplified by looking at those."""


@dataclass(frozen=True, slots=True)
class FlatGraph:
    """One graph of operations.

    Attributes:
        definition: ``tf.compat.v1.GraphDef``.
        large_weights: Variables by the name of the placeholder that stands for each.
        input: Name of the tensor it takes.
        outputs: Names of the tensors it gives, in their order.
    """

    definition: Any
    large_weights: Mapping[str, Any]
    input: str
    outputs: tuple[str, ...]

    def load(self) -> Any:
        """The ``tf.Graph``, in which operations and tensors are found by name."""
        tensorflow = import_tensorflow()
        with tensorflow.Graph().as_default() as graph:
            tensorflow.import_graph_def(self.definition, name="")
        return graph

    def function(self) -> Any:
        """A concrete function that gives a list; large weights are the variables that it reads."""
        tensorflow = import_tensorflow()
        taken_and_given: list[Any] = []

        def everything() -> None:
            read = {f"{name}:0": variable.read_value() for name, variable in self.large_weights.items()}
            taken_and_given.extend(
                tensorflow.graph_util.import_graph_def(
                    self.definition, input_map=read, return_elements=[self.input, *self.outputs], name=""
                )
            )

        # Not a tf.function: that orders operations by itself, which breaks flattened loops.
        whole = tensorflow.compat.v1.wrap_function(everything, [])
        taken, given = taken_and_given[0], taken_and_given[1:]
        # Without a signature each call fails once and is tried again, and its input printed for the message.
        signature: Any = ((tensorflow.TensorSpec.from_tensor(taken),), {})
        return whole.prune([taken], given, input_signature=signature)


def flatten(function: Any) -> FlatGraph:
    """Flatten a concrete function of one tensor; its variables must still be there.

    Raises:
        ValueError: TensorFlow cannot inline it.
    """
    large = _large_variables(function)
    return FlatGraph(
        definition=_without_values(_frozen(function, set(large)), large),
        large_weights=large,
        input=function.inputs[0].name,
        outputs=tuple(tensor.name for tensor in function.outputs),
    )


def _large_variables(function: Any) -> dict[str, Any]:
    """Variables by the name of the placeholder by which the function reads them."""
    variables = {id(variable.handle): variable for variable in function.graph.variables}
    captured = {inner.op.name: variables.get(id(outer)) for outer, inner in function.graph.captures}
    return {
        name: variable
        for name, variable in captured.items()
        if variable is not None and _n_bytes(variable) >= _LARGE_BYTES
    }


def _n_bytes(variable: Any) -> int:
    return int(np.prod(variable.shape.as_list())) * int(variable.dtype.size)


def _frozen(function: Any, large: set[str]) -> Any:
    """The graph with constants for variables, by TensorFlow's own freezing; large ones hold zeros.

    What TensorFlow exports for this builds a function of the result, and with it copies of all
    values. So this uses the two steps inside, as tf2onnx does for large models.
    """
    from tensorflow.python.framework.convert_to_constants import (
        _FunctionConverterDataInEager,
        _replace_variables_by_constants,
    )

    handles = {id(outer) for outer, inner in function.graph.captures if inner.op.name in large}

    class Values(_FunctionConverterDataInEager):  # type: ignore[misc]  # TensorFlow has no types
        def _eval(self, tensor: Any) -> Any:
            if id(getattr(tensor, "handle", None)) in handles:
                return np.broadcast_to(np.zeros((), tensor.dtype.as_numpy_dtype), tensor.shape)
            return tensor.numpy()

    values = Values(func=function, lower_control_flow=True, aggressive_inlining=False)
    return _replace_variables_by_constants(values)[0]


def _without_values(definition: Any, large: Mapping[str, Any]) -> Any:
    """A copy with placeholders in the place of large constants."""
    light = type(definition)()
    light.versions.CopyFrom(definition.versions)
    light.library.CopyFrom(definition.library)
    for node in definition.node:
        if node.name not in large:
            light.node.add().CopyFrom(node)
            continue
        placeholder = light.node.add(name=node.name, op="Placeholder")
        placeholder.attr["dtype"].CopyFrom(node.attr["dtype"])
        placeholder.attr["shape"].shape.CopyFrom(node.attr["value"].tensor.tensor_shape)
    return light
