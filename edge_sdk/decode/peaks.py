"""Local maxima of a map of scores: what stands instead of suppression in detectors of key points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..contract.values import Array, Float32Array
from .part_layout import PartLayout

__all__ = ["local_peaks"]


def local_peaks(scores: Float32Array, classes: PartLayout, side: int) -> npt.NDArray[np.bool_]:
    """Whether each score is the highest of its class in a square around it; all of equals are.

    Args:
        scores: Shape ``[outer, labels, inner]``, a view of the tensor that ``classes`` lays out.
        classes: Where rows and columns are in it.
        side: Of the square, in cells, odd.

    Returns:
        Of the shape of ``scores``.
    """
    around = classes.around
    before = [extent for _, extent in around[: classes.axes_before]]
    behind = [extent for _, extent in around[classes.axes_before :]]
    names = [name for name, _ in around[: classes.axes_before]]
    names += ["labels", *(name for name, _ in around[classes.axes_before :])]
    grid = scores.reshape([*before, scores.shape[1], *behind])
    highest = grid
    for axis in (names.index("rows"), names.index("columns")):
        highest = _highest_along(highest, axis, side // 2)
    peaks: npt.NDArray[np.bool_] = (grid >= highest).reshape(scores.shape)
    return peaks


def _highest_along(values: Array, axis: int, reach: int) -> Array:
    moved = np.moveaxis(values, axis, 0)
    highest = moved.copy()
    for distance in range(1, min(reach, len(moved) - 1) + 1):
        np.maximum(highest[distance:], moved[:-distance], out=highest[distance:])
        np.maximum(highest[:-distance], moved[distance:], out=highest[:-distance])
    return np.moveaxis(highest, 0, axis)
