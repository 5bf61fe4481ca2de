"""Quick answers to whether an array holds something that is no finite number."""

from __future__ import annotations

import math

import numpy as np

from ..contract.values import Float32Array

__all__ = ["all_finite", "extremes"]


def extremes(values: Float32Array) -> tuple[float, float]:
    """The smallest and the largest value; not a number where any of them is none.

    Args:
        values: Float32, shape ``[n]``, not empty.
    """
    # The ufuncs' own reductions: the methods of an array come to the same by way of Python.
    return float(np.minimum.reduce(values)), float(np.maximum.reduce(values))


def all_finite(values: Float32Array) -> bool:
    """Whether no value is infinite or not a number; the faster of the two on long arrays.

    Args:
        values: Float32, shape ``[n]``.
    """
    # One pass of multiply-add answers nearly always; only where it overflows, each value is looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.dot(values, values)
    return math.isfinite(total) or bool(np.isfinite(values).all())
