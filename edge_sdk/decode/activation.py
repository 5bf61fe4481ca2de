"""From logits to scores, without overflow."""

from __future__ import annotations

import numpy as np

from ..contract.values import Float32Array

__all__ = ["as_share", "sigmoid", "softmax", "softplus"]

_SATURATED = np.float32(80.0)  # float32 exp() does not overflow up to this
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)


def as_share(values: Float32Array) -> Float32Array:
    """Each within 0..1, in an array of its own."""
    share: Float32Array = np.minimum(np.maximum(values, _ZERO), _ONE)
    return share


def sigmoid(logits: Float32Array) -> Float32Array:
    """``1 / (1 + exp(-x))`` of each, in an array of its own."""
    scores: Float32Array = _ONE / (_ONE + np.exp(-np.maximum(logits, -_SATURATED)))
    return scores


def softplus(values: Float32Array) -> Float32Array:
    """``log(1 + exp(x))`` of each, in an array of its own: never below 0."""
    positive: Float32Array = np.logaddexp(values, _ZERO)
    return positive


def softmax(logits: Float32Array) -> Float32Array:
    """Shares that add up to 1 along the last axis, in an array of its own."""
    # Lowered by the largest, so that exp() cannot overflow; the quotient stays the same.
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    scores: Float32Array = weights / weights.sum(axis=-1, keepdims=True)
    return scores
