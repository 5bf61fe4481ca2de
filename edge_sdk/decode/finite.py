"""A quick answer to whether an array holds something that is no finite number."""

from __future__ import annotations

import math

import numpy as np

from ..contract.values import Float32Array

__all__ = ["all_finite"]

_FEW = 1 << 16
"""So many are faster looked at twice than by the algebra library, whose code is in no cache then."""


def all_finite(values: Float32Array) -> bool:
    """Whether no value is infinite or not a number.

    Args:
        values: Float32, shape ``[n]``.
    """
    if 0 < len(values) <= _FEW:  # an infinity is the least or the greatest, and NaN passes for both
        least, greatest = values[values.argmin()], values[values.argmax()]
        return math.isfinite(least) and math.isfinite(greatest)
    # One pass of multiply-add answers nearly always; only where it overflows, each value is looked at.
    # `vdot` and not `dot`: it raises no floating-point warning that would have to be silenced.
    return math.isfinite(np.vdot(values, values)) or bool(np.isfinite(values).all())
