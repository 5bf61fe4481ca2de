"""True boxes and boxes over their threshold, counted: what was found, missed, and seen where nothing is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_sdk.contract.values import Detections, Float32Array
from edge_sdk.decode.boxes import pairwise_iou
from edge_sdk.metrics.classification import Share

from ..data.picture_set import Picture, PictureSet, TrueBox

__all__ = [
    "LEAST_IOU",
    "BoxCounts",
    "at_threshold",
    "confused_boxes",
    "count_boxes",
    "true_overlaps",
    "true_scores",
]

LEAST_IOU = 0.5
"""From this overlap on, two boxes are of the same thing."""


@dataclass(frozen=True)
class BoxCounts:
    """What one model found at threshold.

    Attributes:
        label_ids: The model's labels.
        true_labels: Label of each true box that counts, of all pictures in order.
        was_found: Whether a box at threshold is of it.
        given: By label: boxes at threshold, without those over things that are passed over.
    """

    label_ids: tuple[str, ...]
    true_labels: npt.NDArray[np.int64]
    was_found: npt.NDArray[np.bool_]
    given: npt.NDArray[np.int64]

    def recall(self, label: int) -> Share:
        """Of the true boxes of a label, those that were found."""
        own = self.was_found[self.true_labels == label]
        return Share(int(own.sum()), len(own))

    def precision(self, label: int) -> Share:
        """Of the boxes of a label, those that are of a true one."""
        return Share(int(self.was_found[self.true_labels == label].sum()), int(self.given[label]))


def at_threshold(found: Detections, thresholds: Mapping[str, float], label_ids: Sequence[str]) -> Detections:
    """The boxes that reach their label's threshold; 0.5 for a label without one."""
    limits = np.array([thresholds.get(label_id, 0.5) for label_id in label_ids])
    kept = found.scores >= limits[found.labels]
    return Detections(found.boxes[kept], found.scores[kept], found.labels[kept])


def count_boxes(
    pictures: PictureSet, found: Sequence[Detections], thresholds: Mapping[str, float]
) -> BoxCounts:
    """Count what was found at threshold.

    Args:
        pictures: With their true boxes.
        found: What was found in each, in the same order.
        thresholds: By label id.
    """
    numbers = {label_id: number for number, label_id in enumerate(pictures.label_ids)}
    true_labels: list[int] = []
    was_found: list[bool] = []
    given = np.zeros(len(numbers), dtype=np.int64)
    for picture, boxes in zip(pictures.samples, found, strict=True):
        decided = at_threshold(boxes, thresholds, pictures.label_ids)
        true = _true_boxes([box for box in picture.boxes if not box.passed], numbers)
        claimed = _claims(true, decided)
        matched = set(claimed.values())
        true_labels += true.labels.tolist()
        was_found += [index in claimed for index in range(len(true))]
        excused = _over_passed(picture, decided, numbers)
        for index, label in enumerate(decided.labels.tolist()):
            given[label] += index in matched or not excused[index]
    return BoxCounts(
        pictures.label_ids, np.array(true_labels, dtype=np.int64), np.array(was_found, dtype=np.bool_), given
    )


def true_scores(pictures: PictureSet, found: Sequence[Detections]) -> Float32Array:
    """The best score of a box over each true box that counts, in their order; 0 where there is none."""
    numbers = {label_id: number for number, label_id in enumerate(pictures.label_ids)}
    scores: list[float] = []
    for picture, boxes in zip(pictures.samples, found, strict=True):
        true = _true_boxes([box for box in picture.boxes if not box.passed], numbers)
        claimed = _claims(true, boxes)
        scores += [
            float(boxes.scores[claimed[index]]) if index in claimed else 0.0 for index in range(len(true))
        ]
    return np.array(scores, dtype=np.float32)


def true_overlaps(pictures: PictureSet, found: Sequence[Detections]) -> Float32Array:
    """How much the best box of its label overlaps each true box that counts, in their order."""
    numbers = {label_id: number for number, label_id in enumerate(pictures.label_ids)}
    overlaps = [np.zeros(0, dtype=np.float32)]
    for picture, boxes in zip(pictures.samples, found, strict=True):
        true = _true_boxes([box for box in picture.boxes if not box.passed], numbers)
        same = boxes.labels[:, None] == true.labels[None, :]
        overlap = np.where(same, pairwise_iou(boxes.boxes, true.boxes), 0)
        overlaps.append(overlap.max(axis=0, initial=0.0).astype(np.float32))
    return np.concatenate(overlaps)


def confused_boxes(pictures: PictureSet, found: Sequence[Detections]) -> npt.NDArray[np.int64]:
    """What things are called: true label by the label of the best scored box over them.

    True boxes that count and over which there is none are left out.
    """
    numbers = {label_id: number for number, label_id in enumerate(pictures.label_ids)}
    counts = np.zeros((len(numbers), len(numbers)), dtype=np.int64)
    for picture, boxes in zip(pictures.samples, found, strict=True):
        true = _true_boxes([box for box in picture.boxes if not box.passed], numbers)
        over = pairwise_iou(boxes.boxes, true.boxes) >= LEAST_IOU
        for index in np.flatnonzero(over.any(axis=0)).tolist():
            best = np.where(over[:, index], boxes.scores, -1.0).argmax()
            counts[true.labels[index], boxes.labels[best]] += 1
    return counts


def _claims(true: Detections, found: Detections) -> dict[int, int]:
    """Which found box each true one goes to, by COCO's rules: the best scored chooses first.

    Not by overlap: soft suppression leaves boxes of low score that may lie better.
    """
    fits = (pairwise_iou(found.boxes, true.boxes) >= LEAST_IOU) & (found.labels[:, None] == true.labels)
    overlaps = np.where(fits, pairwise_iou(found.boxes, true.boxes), 0)
    claimed: dict[int, int] = {}
    for index in np.argsort(-found.scores, kind="stable").tolist():
        left = overlaps[index]
        if len(left) and left.max() > 0:
            claimed[int(left.argmax())] = index
            overlaps[:, left.argmax()] = 0
    return claimed


def _true_boxes(boxes: Sequence[TrueBox], numbers: Mapping[str, int]) -> Detections:
    return Detections(
        np.array([box.box for box in boxes], dtype=np.float32).reshape(-1, 4),
        np.ones(len(boxes), dtype=np.float32),
        np.array([numbers[box.label_id] for box in boxes], dtype=np.int64),
    )


def _over_passed(picture: Picture, decided: Detections, numbers: Mapping[str, int]) -> npt.NDArray[np.bool_]:
    """Which boxes lie over something of their label that is passed over; of a crowd, within it."""
    excused = np.zeros(len(decided), dtype=np.bool_)
    for passed in ("difficult", "crowd"):
        marked = _true_boxes([box for box in picture.boxes if box.passed == passed], numbers)
        if len(marked) and len(decided):
            overlap = (_share_within if passed == "crowd" else pairwise_iou)(decided.boxes, marked.boxes)
            same = decided.labels[:, None] == marked.labels[None, :]
            excused |= ((overlap >= LEAST_IOU) & same).any(axis=1)
    return excused


def _share_within(boxes: Float32Array, crowds: Float32Array) -> Float32Array:
    """How much of each box lies within each crowd, ``[boxes, crowds]``."""
    low = np.maximum(boxes[:, None, :2], crowds[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], crowds[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1, keepdims=True)
    within: Float32Array = common / np.maximum(area, np.finfo(np.float32).tiny)
    return within
