"""From a classifier's output tensor to one score a label."""

from __future__ import annotations

import numpy as np

from ..contract.manifest import ClassesOutput
from ..contract.values import Array, Float32Array
from ..errors import BackendError
from .activation import sigmoid, softmax
from .finite import all_finite

__all__ = ["decode_classes"]

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_BITS_OF_ONE = np.uint32(0x3F800000)
# A sigmoid or softmax inside the model may leave 0..1 by rounding: two steps of an 8-bit output.
_ROUNDING = np.float32(1 / 128)


def decode_classes(raw: Array, output: ClassesOutput, n_labels: int) -> Float32Array:
    """Read one answer of a classifier.

    Args:
        raw: The output tensor for one window, shape ``[labels]`` or with axes of 1 around it.
        output: Which activation is still to be applied.
        n_labels: How many labels the manifest has.

    Returns:
        A new array of scores in 0..1, shape ``[labels]``, in the manifest's order.

    Raises:
        BackendError: Another number of outputs than labels, an output that is not a finite number, or
            one that is no score though no activation is left to apply. A fault must never pass as a
            score, low or high.
    """
    if raw.size != n_labels:
        raise BackendError(
            f"the model gave {raw.size} outputs of shape {list(raw.shape)} for {n_labels} labels",
            hint="the manifest's labels are not the labels of this model",
        )
    values = raw.reshape(n_labels).astype(np.float32)
    if output.activation == "none":
        return _clipped(values)
    _require_finite(values)
    return sigmoid(values) if output.activation == "sigmoid" else softmax(values)


def _require_finite(values: Float32Array) -> None:
    if not all_finite(values):
        broken = int(np.flatnonzero(~np.isfinite(values))[0])
        raise BackendError(f"the model's output {broken} is {values[broken]}, not a finite number")


def _clipped(values: Float32Array) -> Float32Array:
    # One look for the largest answers nearly always: as whole numbers without a sign, the bits of 0..1
    # are in the order of their values, and those of all else, NaN among them, are larger.
    bits = values.view(np.uint32)
    if bits[bits.argmax()] <= _BITS_OF_ONE:
        return values
    _require_finite(values)
    lowest, highest = values.min(), values.max()
    if lowest < -_ROUNDING or highest > _ONE + _ROUNDING:
        broken = int(values.argmin() if lowest < -_ROUNDING else values.argmax())
        raise BackendError(
            f"the model's output {broken} is {values[broken]:g}, which is no score from 0 to 1",
            hint="its outputs may be logits: then the manifest's activation must be sigmoid or softmax",
        )
    values.clip(_ZERO, _ONE, out=values)
    return values
