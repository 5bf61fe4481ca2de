"""What Keras models and SavedModels have in common once loaded: a TensorFlow function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.errors import ModelError
from edge_sdk.inference.engine import EngineBackend

from ..quiet import import_tensorflow, quiet_libraries
from .flat_graph import FlatGraph, flatten
from .source_model import FinalActivation, SourceModel, TracedModel, digest_path

__all__ = ["TensorFlowEngine", "source_from_function"]

_PASS_THROUGH = {"Identity", "Reshape", "Squeeze", "Cast", "NoOp", "StopGradient"}
_ACTIVATIONS: dict[str, FinalActivation] = {"Sigmoid": "sigmoid", "Softmax": "softmax"}


class TensorFlowEngine:
    """A TensorFlow function as an :class:`edge_sdk.inference.engine.Engine`.

    Args:
        traced: The function.
    """

    library = "TensorFlow"

    def __init__(self, traced: TracedModel) -> None:
        self.errors = _error_types()
        self._function = traced.function
        self.inputs: tuple[TensorSpec, ...] = (traced.input,)
        self.outputs: tuple[TensorSpec, ...] = traced.outputs

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: see :meth:`.Engine.run`."""
        answers = self._function(import_tensorflow().constant(tensors[self.inputs[0].name]))
        return {spec.name: np.asarray(answer) for spec, answer in zip(self.outputs, answers, strict=True)}


def source_from_function(
    paths: tuple[Path, ...],
    function: Callable[[Any], Sequence[Any]],
    model_input: TensorSpec,
    output_names: Sequence[str],
) -> SourceModel:
    """Trace a function of one batch of 1, and wrap it.

    Args:
        paths: What it was read from.
        function: Gives a tensor for each output name.
        model_input: What it takes, batch of 1.
        output_names: What to call what it gives.

    Raises:
        ModelError: It cannot be traced with that input, or gives no tensors of numbers.
    """
    tensorflow = import_tensorflow()
    name = paths[0].name
    dtype = getattr(tensorflow, model_input.dtype)
    signature = tensorflow.TensorSpec(model_input.shape, dtype, name=model_input.name)
    try:
        with quiet_libraries():
            traced = tensorflow.function(function, input_signature=[signature], autograph=False)
            flat = flatten(traced.get_concrete_function())
            concrete = flat.function()
    except _error_types() as error:
        raise ModelError(
            f"{name} cannot be run with an input of {list(model_input.shape)}: {error}"
        ) from error
    model = TracedModel(
        function=concrete,
        flat=flat,
        input=model_input,
        outputs=_output_specs(name, concrete, output_names),
    )
    return SourceModel(
        name=" + ".join(path.name for path in paths),
        files=tuple(digest_path(path) for path in paths),
        backend=EngineBackend(name, TensorFlowEngine(model)),
        input=model_input,
        outputs=model.outputs,
        final_activation=_final_activation(flat),
        traced=model,
    )


def _output_specs(name: str, concrete: Any, output_names: Sequence[str]) -> tuple[TensorSpec, ...]:
    tensorflow = import_tensorflow()
    numbers = (tensorflow.float32, tensorflow.int32, tensorflow.int64)
    dtypes = [output.dtype for output in concrete.outputs]
    if len(dtypes) != len(output_names) or not all(dtype in numbers for dtype in dtypes):
        raise ModelError(f"{name} does not give tensors of numbers", hint="name its output under [model]")
    if len(dtypes) == 1 and dtypes[0] != tensorflow.float32:
        raise ModelError(f"{name} does not give one float32 tensor", hint="name its output under [model]")
    return tuple(
        TensorSpec(
            own, tuple(output.shape.as_list() if output.shape.rank is not None else ()), output.dtype.name
        )
        for own, output in zip(output_names, concrete.outputs, strict=True)
    )


def _error_types() -> tuple[type[Exception], ...]:
    return (import_tensorflow().errors.OpError, ValueError, TypeError)


def _final_activation(flat: FlatGraph) -> FinalActivation:
    """What the operation that gives the first output is."""
    tensor = flat.load().get_tensor_by_name(flat.outputs[0])
    while tensor.op.type in _PASS_THROUGH and tensor.op.inputs:
        tensor = tensor.op.inputs[0]
    return _ACTIVATIONS.get(tensor.op.type, "other")
