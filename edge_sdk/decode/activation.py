"""From logits to scores, without overflow."""

from __future__ import annotations

import numpy as np

from ..contract.values import Float32Array

__all__ = ["sigmoid", "softmax"]

_SATURATED = np.float32(80.0)  # float32 exp() neither overflows nor vanishes within this
_ONE = np.float32(1.0)


def sigmoid(logits: Float32Array) -> Float32Array:
    """``1 / (1 + exp(-x))`` of each, in an array of its own."""
    scores: Float32Array = _ONE / (_ONE + np.exp(-logits.clip(-_SATURATED, _SATURATED)))
    return scores


def softmax(logits: Float32Array) -> Float32Array:
    """Shares that add up to 1 along the last axis, in an array of its own."""
    # Lowered by the largest, so that exp() cannot overflow; the quotient stays the same.
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scores: Float32Array = weights / weights.sum(axis=-1, keepdims=True)
    return scores
