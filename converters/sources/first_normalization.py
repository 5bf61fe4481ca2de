"""What a model's first batch normalisation remembers of its training, held against what it is fed now.

A normalisation keeps the variance that its input had in training. Where the same place varies twice as
much on the samples here, the input is scaled otherwise than it was, though every answer may still be
right. Colours and the resize hardly change it.

It is found where a graph still has one: in Keras models and SavedModels. Exporters to ONNX and
TFLite fold it into the convolution before it, and then nothing of the training is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edge_sdk.contract.values import Array

from ..quiet import import_tensorflow
from .flat_graph import FlatGraph
from .source_model import SourceModel

__all__ = ["FURTHEST", "spread_ratio"]

FURTHEST = 1.6
"""From so many times as much, or as little, something is wrong. Eight photos of one kind vary by .7 to 1.1
times what ImageNet did; the usual ways to scale pixels differ by 2 and more."""

_UNTRAINED = 1.0


def spread_ratio(source: SourceModel, tensors: Sequence[Array]) -> float | None:
    """How much more the input of the first batch normalisation varies here than in training.

    Args:
        source: The model.
        tensors: What it is fed for a few samples.

    Returns:
        The median over channels of the quotient of the standard deviations; None where the model has no
        such normalisation, or one that was never trained.
    """
    if source.traced is None:
        return None
    found = _first_normalization(source.traced.flat)
    if found is None:
        return None
    place, variance = found
    known = variance > 0
    if not known.any() or np.all(variance == _UNTRAINED):
        return None
    run, constant = replace(source.traced.flat, outputs=(place,)).function(), import_tensorflow().constant
    values = [np.asarray(run(constant(tensor))[0], dtype=np.float64) for tensor in tensors]
    if values[0].shape[-1] != len(variance):
        return None
    flat = np.concatenate([value.reshape(-1, len(variance)) for value in values])
    return float(np.median(np.sqrt(flat.var(axis=0)[known] / variance[known])))


def _first_normalization(graph: FlatGraph) -> tuple[str, Array] | None:
    """The tensor that goes into it, and the variance that it remembers, by channel."""
    tensor = graph.load().get_tensor_by_name(graph.input)
    while len(readers := tensor.consumers()) == 1:
        reader = readers[0]
        variance = _remembered(reader, tensor)
        if variance is not None:
            return tensor.name, variance.astype(np.float64).reshape(-1)
        if len(reader.outputs) != 1:
            break
        tensor = reader.outputs[0]
    return None


def _remembered(operation: Any, tensor: Any) -> Array | None:
    """The variance of a normalisation, in one operation or as a multiplication by 1 / sqrt(variance)."""
    if operation.type.startswith("FusedBatchNorm"):
        return _constant(operation.inputs[4])
    if operation.type != "Mul":
        return None
    factors = [factor for factor in operation.inputs if factor is not tensor]
    roots = [found for factor in factors if (found := _root(factor)) is not None]
    if len(roots) != 1:
        return None
    shifted = roots[0].op.inputs[0].op  # variance + epsilon
    parts = [_constant(part) for part in shifted.inputs] if shifted.type.startswith("Add") else []
    return next((part for part in parts if part is not None and part.size > 1), None)


def _root(factor: Any) -> Any | None:
    """The reciprocal square root in a factor: by itself, or times a gain."""
    parts = [factor, *(factor.op.inputs if factor.op.type == "Mul" else ())]
    return next((part for part in parts if part.op.type == "Rsqrt"), None)


def _constant(tensor: Any) -> Array | None:
    operation = tensor.op
    while operation.type == "Identity":
        operation = operation.inputs[0].op
    if operation.type != "Const":
        return None
    value: Array = import_tensorflow().make_ndarray(operation.get_attr("value"))
    return value
