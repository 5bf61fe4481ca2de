"""How much boxes overlap.

Boxes are float arrays with ``x1, y1, x2, y2`` on the last axis. A box whose second corner does not
lie right of and below its first has no area; it overlaps nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["area", "giou", "iou", "pairwise_giou", "pairwise_iou"]

FloatArray = npt.NDArray[np.floating]


def area(boxes: FloatArray) -> FloatArray:
    """Area of each box, shape ``[...]`` for boxes of shape ``[..., 4]``; 0 for a box without one."""
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    surface: FloatArray = sides[..., 0] * sides[..., 1]
    return surface


def iou(first: FloatArray, second: FloatArray) -> FloatArray:
    """Intersection over union of boxes one by one.

    Args:
        first: Shape ``[..., 4]``.
        second: As ``first``; the axes before the last are broadcast.

    Returns:
        0..1, shape ``[...]``; 0 where neither box has an area.
    """
    inter, union = _intersection_and_union(first, second)
    return _quotient(inter, union)


def giou(first: FloatArray, second: FloatArray) -> FloatArray:
    """Generalized IoU of boxes one by one: below 0 for boxes far apart.

    IoU less the share of the smallest box around both that neither covers (Rezatofighi et al.,
    "Generalized Intersection over Union", 2019).

    Args:
        first: Shape ``[..., 4]``.
        second: As ``first``; the axes before the last are broadcast.

    Returns:
        -1..1, shape ``[...]``.
    """
    inter, union = _intersection_and_union(first, second)
    low = np.minimum(first[..., :2], second[..., :2])
    high = np.maximum(first[..., 2:], second[..., 2:])
    around = area(np.concatenate([low, high], axis=-1))
    generalized: FloatArray = _quotient(inter, union) - _quotient(around - union, around)
    return generalized


def pairwise_iou(first: FloatArray, second: FloatArray) -> FloatArray:
    """IoU of each with each, shape ``[n, m]`` for ``[n, 4]`` and ``[m, 4]``."""
    return iou(first[:, None], second[None])


def pairwise_giou(first: FloatArray, second: FloatArray) -> FloatArray:
    """Generalized IoU of each with each, shape ``[n, m]`` for ``[n, 4]`` and ``[m, 4]``."""
    return giou(first[:, None], second[None])


def _intersection_and_union(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    inter = area(np.concatenate([low, high], axis=-1))
    return inter, area(first) + area(second) - inter


def _quotient(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
