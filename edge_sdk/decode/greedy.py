"""Hard non-maximum suppression: of boxes that overlap too much, the best stays.

The result is that of the plain loop (take the best, drop what overlaps it, go on with the rest);
only the order of the arithmetic differs. Crowds shrink fastest when the best of every class at once
meets its rivals; small classes are cheapest with all their pairs at once; and one class of many
boxes far apart goes block by block, for most of its pairs need never be looked at.
"""

from __future__ import annotations

import numpy as np

from ..contract.values import Array, Float32Array
from .boxes import area
from .raw_detections import Indices

__all__ = ["keep_best"]

_FEW = 64
"""Groups below this are compared pair by pair; larger ones in blocks."""
_LEAST_BLOCK, _MOST_BLOCK = 32, 128
"""A block is small as long as each drops many of the others, and grows where boxes are far apart."""
_LARGE_GROUPS = 200
"""Where groups have more boxes than this on average, the best of each drop too few of them."""
_FEW_IN_ALL = 100
"""So many boxes are compared each with each at once, whatever their labels."""
_WORTH_A_ROUND = 8
"""A round that does not drop one in so many boxes is the last."""
_FEW_OVERLAPS = 2048
"""So many are faster walked through one by one than in bulk."""


def keep_best(
    boxes: Float32Array, scores: Float32Array, iou_threshold: float, labels: Array | None = None
) -> Indices:
    """Which boxes stay.

    Args:
        boxes: Corners, shape ``[n, 4]``.
        scores: Shape ``[n]``; of equals, the first wins.
        iou_threshold: A box goes where it overlaps a better one by more than this.
        labels: Integers, shape ``[n]``: only boxes of one label suppress each other. None where
            all do.

    Returns:
        Indices of those that stay, best first.
    """
    if len(scores) <= 1:
        return np.arange(len(scores))
    if len(scores) <= _FEW_IN_ALL:
        return _best_of_few(boxes, scores, iou_threshold, labels)
    if labels is None:
        labels = np.zeros(len(scores), np.intp)
    order = np.lexsort((-scores, labels))
    stays = _Crowd(boxes[order], labels[order], iou_threshold).settle()
    kept = np.sort(order[stays])
    best_first: Indices = kept[np.argsort(-scores[kept], kind="stable")]
    return best_first


def _best_of_few(
    boxes: Float32Array, scores: Float32Array, iou_threshold: float, labels: Array | None
) -> Indices:
    order: Indices = np.argsort(-scores, kind="stable")
    crowd = _Crowd(boxes[order], order, iou_threshold)
    places = np.arange(len(order))
    close = crowd.too_close(places[:, None], places)
    if labels is not None:
        ranked = labels[order]
        close &= ranked[:, None] == ranked
    return order[_first_come(close)]


class _Crowd:
    """Boxes by label and, within a label, from the best down."""

    def __init__(self, boxes: Float32Array, labels: Array, threshold: float) -> None:
        self._sides = np.ascontiguousarray(boxes.T)
        self._areas = area(boxes)
        self._labels = labels
        self._threshold = self._areas.dtype.type(threshold)
        self._stays = np.zeros(len(labels), np.bool_)

    def settle(self) -> Array:
        """Whether each stays."""
        left = self._rounds(np.arange(len(self._labels)))
        starts, sizes = self._groups(left)
        for start, size in zip(starts[sizes >= _FEW].tolist(), sizes[sizes >= _FEW].tolist(), strict=True):
            self._settle_in_blocks(left[start : start + size])
        small = np.repeat(sizes < _FEW, sizes)
        self._settle_in_pairs(left[small], sizes[sizes < _FEW])
        return self._stays

    def _rounds(self, left: Indices) -> Indices:
        """The best of each label stays and drops its rivals, as long as that drops many."""
        dropped = len(left)
        while len(left) >= _FEW and dropped * _WORTH_A_ROUND >= len(left):
            starts, sizes = self._groups(left)
            if len(starts) * _LARGE_GROUPS < len(left):
                break
            gone = self.too_close(left[np.repeat(starts, sizes)], left)
            gone[starts] = True
            self._stays[left[starts]] = True
            dropped = int(np.count_nonzero(gone))
            left = left[~gone]
        return left

    def _groups(self, left: Indices) -> tuple[Indices, Indices]:
        """Where each label begins among those left, and how many it has."""
        labels = self._labels[left]
        starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]])[: len(left)])
        return starts, np.diff(starts, append=len(left))

    def _settle_in_blocks(self, left: Indices) -> None:
        """The best of those left among themselves, then what stays of them against all the others."""
        size = _LEAST_BLOCK
        while len(left):
            block, left = left[:size], left[size:]
            kept = block[_first_come(self.too_close(block[:, None], block))]
            self._stays[kept] = True
            if not len(left):
                return
            clear = left[~self.too_close(kept[:, None], left).any(axis=0)]
            if (len(left) - len(clear)) * _WORTH_A_ROUND < len(left):
                size = min(2 * size, _MOST_BLOCK)
            left = clear

    def _settle_in_pairs(self, left: Indices, sizes: Indices) -> None:
        """All pairs within all groups, each of so many of those left, at once."""
        self._stays[left] = True
        rivals = np.repeat(np.cumsum(sizes), sizes) - np.arange(len(left)) - 1
        first = np.repeat(np.arange(len(left)), rivals)
        if not len(first):
            return
        second = np.arange(len(first)) - np.repeat(np.cumsum(rivals) - rivals, rivals) + first + 1
        first, second = left[first], left[second]
        close = np.flatnonzero(self.too_close(first, second))
        _strike_out(self._stays, first[close], second[close])

    def too_close(self, first: Indices, second: Indices) -> Array:
        """Whether boxes overlap too much: bool, of the shape that both indices are broadcast to."""
        x1, y1, x2, y2 = (side.take(first) for side in self._sides)
        u1, v1, u2, v2 = (side.take(second) for side in self._sides)
        inter = np.minimum(x2, u2)
        inter -= np.maximum(x1, u1)
        np.maximum(inter, 0, out=inter)  # one side is enough: a product below 0 is no overlap either
        height = np.minimum(y2, v2)
        height -= np.maximum(y1, v1)
        inter *= height
        # Without a division, which is slow and has no answer where both boxes are points.
        bound = self._areas.take(first) + self._areas.take(second)
        bound -= inter
        bound *= self._threshold
        over: Array = inter > bound
        return over


def _first_come(too_close: Array) -> list[int]:
    """Walk down a square of overlaps; each row that nobody above has struck out strikes out others."""
    width = (len(too_close) + 7) // 8
    rows = np.packbits(too_close, axis=1, bitorder="little").tobytes()
    struck, kept = 0, []
    for index in range(len(too_close)):
        if not struck >> index & 1:
            kept.append(index)
            struck |= int.from_bytes(rows[index * width : (index + 1) * width], "little")
    return kept


def _strike_out(stays: Array, better: Indices, worse: Indices) -> None:
    """Each that stays strikes out its worse neighbours, from the best down.

    In bulk first: whoever has no better neighbour stays for certain, so its neighbours go. What is
    still open afterwards is fewer each time.
    """
    while len(better) > _FEW_OVERLAPS:
        beaten = np.zeros(len(stays), np.bool_)
        beaten[worse] = True
        stays[worse[~beaten[better]]] = False
        still_open = beaten[better] & stays[better] & stays[worse]
        better, worse = better[still_open], worse[still_open]
    struck: set[int] = set()
    for one, other in zip(better.tolist(), worse.tolist(), strict=True):
        if one not in struck:
            struck.add(other)
    stays[list(struck)] = False
