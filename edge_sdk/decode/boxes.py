"""Boxes over one thing: how much they overlap, and which of them stays.

Its parts are in modules of their own, and can all be had from here. Boxes are float arrays with
``x1, y1, x2, y2`` on the last axis.

- :func:`area`, :func:`iou`, :func:`giou`: of boxes one by one; :func:`pairwise_iou` and
  :func:`pairwise_giou` of each with each.
- :func:`keep_best`: non-maximum suppression, by class or across classes.
- :func:`suppress`: the same by a manifest's rule, which may be soft-NMS too.
- :func:`match_boxes`: which box of one set is which of another.
"""

from __future__ import annotations

from .box_matching import match_boxes
from .greedy import keep_best
from .overlap import area, giou, iou, pairwise_giou, pairwise_iou
from .suppression import suppress

__all__ = [
    "area",
    "giou",
    "iou",
    "keep_best",
    "match_boxes",
    "pairwise_giou",
    "pairwise_iou",
    "suppress",
]
