"""How an activation's range in int8 follows from what was measured: no way is best for all models.

A narrow range rounds finely and cuts much off, a wide one the reverse. Few calibration tensors do not show
how large others become, and then more than the largest value is best.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from .onnx_ranges import TensorRange

__all__ = ["RANGE_RULES", "WIDEST", "RangeRule"]


class RangeRule(NamedTuple):
    """One way to choose a range.

    Attributes:
        name: What it holds.
        largest: The magnitude that becomes the last step.
    """

    name: str
    largest: Callable[[TensorRange], float]


def _share(share: float, measured: TensorRange) -> float:
    return measured.largest(share)


def _times(factor: float, measured: TensorRange) -> float:
    return factor * measured.peak


RANGE_RULES = (
    RangeRule("99.99 % of values", partial(_share, 0.9999)),
    RangeRule("99.999 % of values", partial(_share, 0.99999)),
    RangeRule("the largest value", partial(_times, 1.0)),
    RangeRule("the largest value and a quarter more", partial(_times, 1.25)),
)
"""What is tried."""

WIDEST = RANGE_RULES[-1]
"""Where nothing is held out that could tell."""
