"""Which of several boxes over one thing stays, and with what score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..contract.detector import Suppression
from ..contract.values import Float32Array
from .greedy import keep_best
from .overlap import iou
from .raw_detections import RawDetections, best_first

__all__ = ["suppress"]

_ROUNDING = 0.01  # pixels


def suppress(found: RawDetections, rule: Suppression, *, least_score: float, most: int) -> RawDetections:
    """Apply a manifest's rule.

    Args:
        found: In any order.
        rule: ``hard``, ``soft``, ``weighted``, ``merge`` or ``none``.
        least_score: ``soft``: a box whose score falls below is dropped.
        most: So many boxes at most are given.

    Returns:
        Those that stay, best first; of equals, the first comes first.
    """
    if len(found.scores) == 0:
        return found
    if rule.method == "none":
        return found.take(best_first(found.scores, most))
    if rule.method == "soft":
        return _soft(found, rule, least_score, most)
    if rule.method == "weighted":
        return _weighted(found, rule, most)
    if rule.method == "merge":
        return _merged(found, rule, most)
    labels = found.labels if rule.by_class else None
    return found.take(keep_best(found.boxes, found.scores, rule.iou_threshold, labels)[:most])


def _soft(found: RawDetections, rule: Suppression, least_score: float, most: int) -> RawDetections:
    """Soft-NMS (Bodla et al., 2017): what overlaps the best is believed less, by exp(-IoU²/sigma)."""
    left = found.take(best_first(found.scores))
    picked: list[RawDetections] = []
    while len(left.scores) and len(picked) < most:
        best = int(left.scores.argmax())
        picked.append(left.take(np.array([best])))
        decay = np.exp(-np.square(iou(left.boxes[best], left.boxes)) / rule.sigma)
        if rule.by_class:
            decay = np.where(left.labels == left.labels[best], decay, 1)
        scores = (left.scores * decay).astype(np.float32)
        stays = scores >= least_score
        stays[best] = False
        left = left._replace(scores=scores).take(stays.nonzero()[0])
    return RawDetections(*(np.concatenate(column) for column in zip(*picked, strict=True)))


def _weighted(found: RawDetections, rule: Suppression, most: int) -> RawDetections:
    """MediaPipe's: the best box becomes the mean of itself and all that it suppresses, by their scores."""
    left = found.take(best_first(found.scores))
    picked: list[RawDetections] = []
    while len(left.scores) and len(picked) < most:
        together = iou(left.boxes[0], left.boxes) > rule.iou_threshold
        if rule.by_class:
            together &= left.labels == left.labels[0]
        together[0] = True
        weights = left.scores[together]
        total = weights.sum()
        mean = weights @ left.boxes[together] / total if total > 0 else left.boxes[0]
        picked.append(RawDetections(mean[None].astype(np.float32), left.scores[:1], left.labels[:1]))
        left = left.take((~together).nonzero()[0])
    return RawDetections(*(np.concatenate(column) for column in zip(*picked, strict=True)))


def _merged(found: RawDetections, rule: Suppression, most: int) -> RawDetections:
    """Edge Impulse's for FOMO: boxes that touch become one around them all, as good as the best."""
    left = found.take(best_first(found.scores))
    picked: list[RawDetections] = []
    while len(left.scores) and len(picked) < most:
        first = left.take(np.array([0]))
        around, together = first.boxes[0], np.zeros(len(left.scores), bool)
        while True:  # what grows may reach others
            touching = _touching(around, left.boxes)
            if rule.by_class:
                touching &= left.labels == first.labels[0]
            touching[0] = True
            if np.array_equal(touching, together):
                break
            together = touching
            chosen = left.boxes[together]
            around = np.concatenate([chosen[:, :2].min(axis=0), chosen[:, 2:].max(axis=0)])
        picked.append(first._replace(boxes=around[None]))
        left = left.take((~together).nonzero()[0])
    return RawDetections(*(np.concatenate(column) for column in zip(*picked, strict=True)))


def _touching(box: Float32Array, boxes: Float32Array) -> npt.NDArray[np.bool_]:
    """Whether each box and the first have an edge, a corner or more in common, but for rounding."""
    gaps: Float32Array = np.maximum(boxes[:, :2] - box[2:], box[:2] - boxes[:, 2:])
    return np.asarray((gaps <= _ROUNDING).all(axis=1))
