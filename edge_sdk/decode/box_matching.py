"""Which box of one set is which of another."""

from __future__ import annotations

import numpy as np

from ..contract.values import Detections
from .boxes import pairwise_iou

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
    overlaps = np.where(first.labels[:, None] == second.labels[None, :], overlaps, -1.0)
    pairs: list[tuple[int, int, float]] = []
    for flat in np.argsort(-overlaps, axis=None, kind="stable"):
        left, right = divmod(int(flat), len(second))
        overlap = float(overlaps[left, right])
        if overlap < least_iou:
            break
        pairs.append((left, right, overlap))
        overlaps[left, :] = overlaps[:, right] = -1.0
    return [pair for pair in pairs if pair[2] >= 0]
