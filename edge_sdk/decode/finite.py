"""A fast answer to whether all of an array are finite numbers."""

from __future__ import annotations

import math

import numpy as np

from ..contract.values import Float32Array

__all__ = ["all_finite"]


def all_finite(values: Float32Array) -> bool:
    """Whether no value is infinite or not a number.

    Args:
        values: Float32, shape ``[n]``.
    """
    # One pass of multiply-add answers nearly always; only where it overflows, each value is looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.dot(values, values)
    return math.isfinite(total) or bool(np.isfinite(values).all())
