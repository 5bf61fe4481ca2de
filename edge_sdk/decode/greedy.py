"""Hard non-maximum suppression: of boxes that overlap too much, the best stays.

The result is that of the plain loop (take the best, drop what overlaps it, go on with the rest); only
the order of the arithmetic differs. Boxes are settled block by block, from the best down: those of a
block among themselves, then what is worse against what stays of them. :mod:`.nearness` sorts out the
pairs that are far apart, which are nearly all.
"""

from __future__ import annotations

import numpy as np

from ..contract.values import Array, Float32Array
from .nearness import Nearness
from .raw_detections import Indices, best_first

__all__ = ["keep_best"]

_A_HANDFUL = 32
"""So many are compared without NumPy, whose calls would take longer than the loop."""
_LEAST_BLOCK, _MOST_BLOCK = 64, 128
"""A block is small as long as each drops half of the others, and grows where boxes are far apart."""
_MOST_PAIRS = 4096
"""Where more are near than this, a block ends earlier: its first boxes may drop all that the others would."""
_MANY = 4096
"""From so many on, boxes are settled label by label, or a few labels at a time."""


def keep_best(
    boxes: Float32Array, scores: Float32Array, iou_threshold: float, labels: Array | None = None
) -> Indices:
    """Which boxes stay.

    Args:
        boxes: Corners, finite, shape ``[n, 4]``.
        scores: Shape ``[n]``; of equals, the first wins.
        iou_threshold: A box goes where it overlaps a better one by more than this, 0..1.
        labels: Integers, shape ``[n]``: only boxes of one label suppress each other. None where
            all do.

    Returns:
        Indices of those that stay, best first.
    """
    if len(scores) <= _A_HANDFUL:
        return _best_of_handful(boxes, scores, iou_threshold, labels)
    order = best_first(scores)
    pieces = [order]
    if labels is not None and len(scores) > _MANY:
        pieces = _some_labels_at_a_time(order, labels.take(order))
    kept = np.concatenate([_settle(boxes, some, iou_threshold, labels) for some in pieces])
    return kept if len(pieces) == 1 else kept.take(np.lexsort((kept, -scores.take(kept))))


def _best_of_handful(
    boxes: Float32Array, scores: Float32Array, iou_threshold: float, labels: Array | None
) -> Indices:
    corners, ranks = boxes.tolist(), scores.tolist()
    groups = [0] * len(ranks) if labels is None else labels.tolist()
    kept: list[int] = []
    kept_of: dict[int, list[list[float]]] = {}
    for index in sorted(range(len(ranks)), key=ranks.__getitem__, reverse=True):  # leaves equals in order
        box, better = corners[index], kept_of.setdefault(groups[index], [])
        if not _overlaps_any(box, better, iou_threshold):
            better.append(box)
            kept.append(index)
    return np.array(kept, np.intp)


def _overlaps_any(box: list[float], others: list[list[float]], iou_threshold: float) -> bool:
    x1, y1, x2, y2 = box
    for left, top, right, bottom in others:
        if x1 < right and left < x2 and y1 < bottom and top < y2:
            width, height = min(x2, right) - max(x1, left), min(y2, bottom) - max(y1, top)
            union = (x2 - x1) * (y2 - y1) + (right - left) * (bottom - top) - width * height
            if width > 0 and height > 0 and width * height > iou_threshold * union:
                return True
    return False


def _some_labels_at_a_time(order: Indices, labels: Array) -> list[Indices]:
    """Cut into pieces of whole labels, each of so many boxes that work in bulk pays; best first in each."""
    by_label = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.diff(labels.take(by_label), append=labels.max() + 1)) + 1
    pieces, start = [], 0
    for end in ends.tolist():
        if end - start >= _MANY // 2 or end == len(order):
            pieces.append(order.take(np.sort(by_label[start:end])))
            start = end
    return pieces


def _settle(boxes: Float32Array, order: Indices, iou_threshold: float, labels: Array | None) -> Indices:
    """Those that stay of some boxes, which are given from the best down."""
    sides = _sides_and_area(boxes.take(order, axis=0))
    threshold = sides.dtype.type(iou_threshold)
    near = Nearness(sides, iou_threshold, None if labels is None else labels.take(order))
    left: Indices = np.arange(len(order))
    kept, size = [left[:0]], _LEAST_BLOCK
    while len(left):
        size = min(size, len(left))
        size, better, worse = near.pairs(size, _MOST_PAIRS)
        close = _too_close(sides, left.take(better), left.take(worse), threshold)
        gone = _struck_out(len(left), size, better.take(close), worse.take(close))
        kept.append(left[:size][~gone[:size]])
        gone[:size] = True
        rest = (~gone).nonzero()[0]
        if 2 * len(rest) > len(left):
            size = _MOST_BLOCK
        left = left.take(rest)
        near.keep(rest)
    return order.take(np.concatenate(kept))


def _sides_and_area(boxes: Float32Array) -> Float32Array:
    """Shape ``[5, n]``: x1, y1, x2, y2 and the area, which is 0 where a side would be below 0."""
    sides = np.empty((5, len(boxes)), boxes.dtype)
    sides[:4] = boxes.T
    np.maximum(sides[2:4], sides[:2], out=sides[2:4])
    width, height = sides[2:4] - sides[:2]
    np.multiply(width, height, out=sides[4])
    return sides


def _too_close(sides: Float32Array, first: Indices, second: Indices, threshold: np.floating) -> Indices:
    """Which of these pairs overlap too much."""
    one, other = sides.take(first, axis=1), sides.take(second, axis=1)
    extent = np.minimum(one[2:4], other[2:4])
    extent -= np.maximum(one[:2], other[:2])
    np.maximum(extent, 0, out=extent)
    inter = extent[0]
    inter *= extent[1]
    # Without a division, which is slow and has no answer where both boxes are points.
    bound = one[4]
    bound += other[4]
    bound -= inter
    bound *= threshold
    close: Indices = (inter > bound).nonzero()[0]
    return close


def _struck_out(count: int, size: int, better: Indices, worse: Indices) -> Array:
    """Whether each of so many goes, because of one in the block that stays.

    Args:
        count: How many there are.
        size: How many of them are in the block, from the first on.
        better: The first of each pair that overlaps too much, in the block and in its order.
        worse: The second, anywhere behind.
    """
    within = worse < size
    struck: set[int] = set()
    for one, other in zip(better[within].tolist(), worse[within].tolist(), strict=True):
        if one not in struck:
            struck.add(other)
    gone = np.zeros(count, np.bool_)
    if struck:
        gone[list(struck)] = True
        worse = worse[~gone.take(better)]
    gone[worse] = True
    return gone
