"""Golden pictures of a detector: which to take, and how far a healthy device may be off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from edge_sdk.contract.golden import MOST_BOUND
from edge_sdk.contract.manifest import Precision
from edge_sdk.contract.values import Detections
from edge_sdk.inference.golden_boxes import LOWEST_IOU, PairedBoxes, pair_golden

from ..data.picture_set import PictureSet
from .box_counts import LEAST_IOU, at_threshold
from .golden import LEAST_BOUND, SAFETY_FACTOR
from .golden_pictures import FEWEST_PICTURES, MOST_PICTURES
from .trial import Tolerance

__all__ = ["box_tolerance", "choose_pictures"]

_HIGHEST_IOU: dict[Precision, float] = {
    "float32": 0.95,
    "float16": 0.9,
    "dynamic": 0.8,
    "int8": 0.8,
    "mixed": 0.8,
    "int16x8": 0.9,
    "as_given": 0.8,
}
"""Where kernels agree to the bit here, boxes may still move by a rounding step a layer elsewhere."""


def choose_pictures(
    pictures: PictureSet, found: Sequence[Detections], thresholds: Mapping[str, float]
) -> list[int]:
    """Pictures in which the float source finds as many labels as few can show, then one with the least in it.

    Labels of the evaluation set, that is. Each picture is the one that shows most of them which none
    before it shows; of several, the one where the source is surest.

    Args:
        pictures: The evaluation set.
        found: What the float source found in each.
        thresholds: By label id.

    Returns:
        Indices of pictures, 8 at most; 4 at least, as far as there are so many.
    """
    shown = [_best_by_label(at_threshold(boxes, thresholds, pictures.label_ids)) for boxes in found]
    chosen: list[int] = []
    covered = {pictures.label_ids.index(label_id) for label_id in pictures.covered}
    unseen = covered & set[int]().union(*shown)
    while unseen and len(chosen) < MOST_PICTURES - 1:
        chosen.append(max(range(len(shown)), key=lambda index: _gain(shown[index], unseen)))
        unseen -= set(shown[chosen[-1]])
    least = min(range(len(found)), key=lambda index: float(found[index].scores.sum()))
    most = sorted(range(len(found)), key=lambda index: -float(found[index].scores.sum()))
    chosen += [index for index in (least,) if index not in chosen]
    return (chosen + [index for index in most if index not in chosen])[: max(FEWEST_PICTURES, len(chosen))]


def _best_by_label(found: Detections) -> dict[int, float]:
    """The best score of each label in a picture."""
    best: dict[int, float] = {}
    for label, score in zip(found.labels.tolist(), found.scores.tolist(), strict=True):
        best[label] = max(score, best.get(label, 0.0))
    return best


def _gain(shown: Mapping[int, float], unseen: set[int]) -> tuple[int, float]:
    """How many labels a picture would add, and how sure they are."""
    new = [score for label, score in shown.items() if label in unseen]
    return len(new), sum(new)


def box_tolerance(
    precision: Precision,
    kernels: Sequence[Sequence[Detections]],
    thresholds: Mapping[str, float],
    label_ids: Sequence[str],
) -> Tolerance:
    """How far a healthy device may be off, from answers under several sets of kernels.

    A box that only one set of kernels has must not fail a device: the bound is as wide as that box
    is over its threshold.

    Args:
        precision: Of the variant.
        kernels: Boxes of each golden picture under each set of kernels, the reference first.
        thresholds: By label id.
        label_ids: The model's labels.
    """
    limits = np.array([thresholds.get(label_id, 0.5) for label_id in label_ids])
    paired = [
        pair_golden(wanted, given, limits, LEAST_IOU)
        for others in kernels[1:]
        for wanted, given in zip(kernels[0], others, strict=True)
    ]
    difference = max((_difference(one, limits) for one in paired), default=0.0)
    bound = min(MOST_BOUND, max(LEAST_BOUND[precision], SAFETY_FACTOR * difference))
    lowest = min((_lowest_overlap(one, limits + bound) for one in paired), default=1.0)
    least_iou = min(_HIGHEST_IOU[precision], 1 - SAFETY_FACTOR * (1 - lowest))
    return Tolerance(bound, max(LOWEST_IOU, least_iou), difference)


def _difference(paired: PairedBoxes, limits: npt.NDArray[np.float64]) -> float:
    """The largest of a score, or by how much a box that only one side has is over its threshold."""
    wanted, found = paired.wanted, paired.found
    moved = (abs(float(wanted.scores[left] - found.scores[right])) for left, right, _ in paired.pairs)
    alone = ((wanted, paired.missing), (found, paired.extra))
    excess = (float((one.scores - limits[one.labels])[rows].max(initial=0.0)) for one, rows in alone)
    return max((*moved, *excess), default=0.0)


def _lowest_overlap(paired: PairedBoxes, clear: npt.NDArray[np.float64]) -> float:
    """Of boxes that are clear of their threshold; the others may be missing anyway."""
    wanted, found = paired.wanted, paired.found
    return min(
        (
            overlap
            for left, right, overlap in paired.pairs
            if max(wanted.scores[left], found.scores[right]) >= clear[wanted.labels[left]]
        ),
        default=1.0,
    )
