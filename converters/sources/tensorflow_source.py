"""What Keras models and SavedModels have in common once loaded: a TensorFlow function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.errors import ModelError
from edge_sdk.inference.engine import EngineBackend

from ..quiet import import_tensorflow, quiet_libraries
from .source_model import FinalActivation, SourceModel, digest_path

__all__ = ["TensorFlowEngine", "source_from_function"]

_PASS_THROUGH = {"Identity", "Reshape", "Squeeze", "Cast", "NoOp", "StopGradient"}
_ACTIVATIONS: dict[str, FinalActivation] = {"Sigmoid": "sigmoid", "Softmax": "softmax"}


class TensorFlowEngine:
    """A TensorFlow function as an :class:`edge_sdk.inference.engine.Engine`.

    Args:
        function: Concrete function of one tensor, giving one tensor.
        model_input, model_output: Those tensors.
    """

    library = "TensorFlow"

    def __init__(self, function: Any, model_input: TensorSpec, model_output: TensorSpec) -> None:
        self.errors = _error_types()
        self._function = function
        self.inputs: tuple[TensorSpec, ...] = (model_input,)
        self.outputs: tuple[TensorSpec, ...] = (model_output,)

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: see :meth:`.Engine.run`."""
        (answer,) = self._function(import_tensorflow().constant(tensors[self.inputs[0].name]))
        return {self.outputs[0].name: np.asarray(answer)}


def source_from_function(
    paths: tuple[Path, ...],
    function: Callable[[Any], Any],
    model_input: TensorSpec,
    output_name: str,
) -> SourceModel:
    """Trace a function of one batch of 1, and wrap it.

    Raises:
        ModelError: It cannot be traced with that input, or gives no tensor of numbers.
    """
    tensorflow = import_tensorflow()
    name = paths[0].name
    signature = tensorflow.TensorSpec(model_input.shape, tensorflow.float32, name=model_input.name)
    try:
        with quiet_libraries():
            traced = tensorflow.function(function, input_signature=[signature], autograph=False)
            concrete = _frozen(traced.get_concrete_function())
    except _error_types() as error:
        raise ModelError(
            f"{name} cannot be run with an input of {list(model_input.shape)}: {error}"
        ) from error
    (output,) = concrete.outputs
    if output.dtype != tensorflow.float32:
        raise ModelError(f"{name} does not give one float32 tensor", hint="name its output under [model]")
    model_output = TensorSpec(output_name, tuple(output.shape.as_list()), "float32")
    return SourceModel(
        name=" + ".join(path.name for path in paths),
        files=tuple(digest_path(path) for path in paths),
        backend=EngineBackend(name, TensorFlowEngine(concrete, model_input, model_output)),
        input=model_input,
        output=model_output,
        final_activation=_final_activation(concrete),
        function=concrete,
    )


def _error_types() -> tuple[type[Exception], ...]:
    return (import_tensorflow().errors.OpError, ValueError, TypeError)


def _frozen(concrete: Any) -> Any:
    """The function with its variables as constants and all calls inlined: one flat graph."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(concrete)


def _final_activation(flat: Any) -> FinalActivation:
    """What the last operation of a flat graph is."""
    tensor = flat.outputs[0]
    while tensor.op.type in _PASS_THROUGH and tensor.op.inputs:
        tensor = tensor.op.inputs[0]
    return _ACTIVATIONS.get(tensor.op.type, "other")
