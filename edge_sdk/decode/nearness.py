"""Which boxes may overlap by more than a threshold: a quick look that misses none.

Where two boxes overlap by more than t (intersection over union), they do so by more than t of either
one's width, and of its height. So if t / 2 of its width is cut off on either side of each, the two
still meet. That is looked up on a grid of 256 x 256 cells, in numbers of 8 bits, of which a processor
compares dozens at a time.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from ..contract.values import Array, Float32Array
from .raw_detections import Indices

__all__ = ["Nearness"]

_LAST = 255
_SAMPLE = 64
"""The grid is laid over where so many of the boxes are."""
_FEW = 64
"""So many are taken to be near to each other, all of them."""

_Bytes = npt.NDArray[np.uint8]


class Nearness:
    """Boxes that come best first, as seen from afar.

    Args:
        sides: Corners, rows ``x1, y1, x2, y2`` and maybe more, shape ``[4 or more, n]``; no side below 0.
        threshold: Intersection over union, 0..1.
        labels: Integers, shape ``[n]``: boxes of different labels are never near. None where that
            does not matter.
    """

    def __init__(self, sides: Float32Array, threshold: float, labels: Array | None) -> None:
        self._count = sides.shape[1]
        self._labels = labels
        self._groups: _Bytes | None = None
        self._exact_groups = True
        if labels is not None:
            self._groups = labels.astype(np.uint8)
            self._exact_groups = np.array_equal(self._groups, labels)
        self._cells = None if self._count <= _FEW else _cells(sides, threshold)

    def pairs(self, size: int, most: int) -> tuple[int, Indices, Indices]:
        """Each of the first so many, with what is near to it and comes later.

        Args:
            size: How many of the first.
            most: Where there are more pairs than this, fewer of the first are looked at, but one.

        Returns:
            How many of the first, then the first and the second of each pair, in order.
        """
        hits = self._near(size).reshape(-1).nonzero()[0]
        if len(hits) > most:
            size = max(1, int(hits[most]) // self._count)
            hits = hits[: np.searchsorted(hits, size * self._count)]
        first = hits // self._count
        second = hits - first * self._count
        if self._labels is not None and not self._exact_groups:
            same = (self._labels.take(first) == self._labels.take(second)).nonzero()[0]
            first, second = first.take(same), second.take(same)
        return size, first, second

    def keep(self, chosen: Indices) -> None:
        """Go on with some of them, in that order."""
        self._count = len(chosen)
        if self._cells is not None:
            self._cells = self._cells.take(chosen, axis=1)
        if self._labels is not None and self._groups is not None:
            self._labels, self._groups = self._labels.take(chosen), self._groups.take(chosen)

    def _near(self, size: int) -> npt.NDArray[np.bool_]:
        """Shape ``[size, n]``."""
        if self._cells is None:
            near = np.ones((size, self._count), np.bool_)
        else:
            near = _meet(self._cells[:, :size, None], self._cells[:, None])
        if self._groups is not None:
            near &= self._groups[:size, None] == self._groups
        near[:, :size] &= _later(size)
        return near


def _cells(sides: Float32Array, threshold: float) -> _Bytes:
    """First and last cell of each box, without its rims: rows as in ``sides``.

    What lies beside the grid is in its outermost cells; that finds more pairs near, never fewer.
    """
    rim = (sides[2:4] - sides[:2]) * np.float32(threshold / 2)
    low, high = sides[:2] + rim, sides[2:4] - rim
    sample = np.sort(low[:, :: max(1, low.shape[1] // _SAMPLE)], axis=1)
    few = sample.shape[1] // 16  # boxes far out must not make the cells large
    start, end = sample[:, [few]], sample[:, [-1 - few]]
    margin = (end - start) / 4 + 1 + 1e-4 * np.maximum(abs(start), abs(end))  # cells beyond all rounding
    scale = _LAST / (end - start + 2 * margin)
    cells = np.concatenate([low - (start - margin), high - (start - margin)])
    cells[:2] *= scale
    cells[2:] *= scale
    cells[2:] += 1  # rounding must not part what meets
    return cells.clip(0, _LAST).astype(np.uint8)


def _meet(one: _Bytes, other: _Bytes) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = one[0] <= other[2]
    more = np.empty_like(near)
    near &= np.less_equal(one[1], other[3], out=more)
    near &= np.greater_equal(one[2], other[0], out=more)
    near &= np.greater_equal(one[3], other[1], out=more)
    return near


@functools.cache
def _later(size: int) -> npt.NDArray[np.bool_]:
    """Whether the second comes after the first, shape ``[size, size]``."""
    return np.triu(np.ones((size, size), np.bool_), 1)
