"""Which box of one set is which of another."""

from __future__ import annotations

import numpy as np

from ..contract.values import Detections
from .overlap import pairwise_iou

__all__ = ["match_boxes"]


def match_boxes(first: Detections, second: Detections, least_iou: float) -> list[tuple[int, int, float]]:
    """Pair boxes of the same label that overlap, the largest overlap first; each is used once.

    Args:
        first: Boxes in one picture.
        second: Others in the same picture.
        least_iou: Pairs that overlap less are none.

    Returns:
        Index in ``first``, index in ``second``, and their intersection over union.
    """
    overlaps = pairwise_iou(first.boxes, second.boxes)
    same_label = first.labels[:, None] == second.labels[None, :]
    lefts, rights = np.nonzero(same_label & (overlaps >= least_iou))
    pairs: list[tuple[int, int, float]] = []
    used_left, used_right = set[int](), set[int]()
    for place in np.argsort(-overlaps[lefts, rights], kind="stable"):
        left, right = int(lefts[place]), int(rights[place])
        if left not in used_left and right not in used_right:
            pairs.append((left, right, float(overlaps[left, right])))
            used_left.add(left)
            used_right.add(right)
    return pairs
