"""Golden pictures of a detector: which to take, and how far a healthy device may be off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from edge_sdk.contract.detector import DetectionOutput
from edge_sdk.contract.golden import MOST_BOUND
from edge_sdk.contract.manifest import Precision
from edge_sdk.contract.values import Detections
from edge_sdk.inference.golden_box_pairs import LOWEST_IOU, PairedBoxes, pair_golden
from edge_sdk.inference.golden_ties import TieRule

from ..data.picture_set import PictureSet
from .box_counts import LEAST_IOU, at_threshold
from .golden import LEAST_BOUND, SAFETY_FACTOR
from .golden_pictures import FEWEST_PICTURES, MOST_PICTURES
from .trial import Tolerance

__all__ = ["FoundBoxes", "box_tolerance", "choose_pictures", "least_score"]

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


@dataclass(frozen=True, slots=True)
class FoundBoxes:
    """What one set of kernels finds in the golden pictures.

    Attributes:
        found: In each picture.
        before: The same before suppression; empty where that is not looked at.
    """

    found: Sequence[Detections]
    before: Sequence[Detections] = ()


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


def least_score(thresholds: Mapping[str, float], label_ids: Sequence[str]) -> float:
    """Below it no box counts on any device, however wide its bound."""
    return float(_limits(thresholds, label_ids).min()) - MOST_BOUND


def box_tolerance(
    precision: Precision,
    kernels: Sequence[FoundBoxes],
    output: DetectionOutput,
    thresholds: Mapping[str, float],
    label_ids: Sequence[str],
) -> Tolerance:
    """How far a healthy device may be off, from answers under several sets of kernels.

    They are held against each other as a device's are against the expected ones: a box that lost to another
    one of nearly its score is excused, and widens nothing. What is a tie depends on the tolerance, so for
    that the boxes give it which both sides have for certain. A box that only one set of kernels has otherwise
    must not fail a device: the bound is as wide as that box is over its threshold.

    Args:
        precision: Of the variant.
        kernels: What each set of kernels finds, the reference first.
        output: The detector's.
        thresholds: By label id.
        label_ids: The model's labels.
    """
    limits = _limits(thresholds, label_ids)
    reference, *others = kernels
    alike = [_paired(reference, other, limits, _HIGHEST_IOU[precision]) for other in others]
    certain = _tolerance(precision, [_pairs_alone(one) for paired in alike for one in paired], limits)
    rule = TieRule(output, limits, certain.bound, certain.least_iou or 0.0)
    compared = [
        pair_golden(*_without_ties(one, eased), limits, LEAST_IOU)
        for other, paired in zip(others, alike, strict=True)
        for one, eased in zip(paired, _eased(rule, paired, other), strict=True)
    ]
    return _tolerance(precision, compared, limits)


def _paired(
    reference: FoundBoxes, other: FoundBoxes, limits: npt.NDArray[np.float64], least_iou: float
) -> list[PairedBoxes]:
    """Those of each picture."""
    both = zip(reference.found, other.found, strict=True)
    return [pair_golden(wanted, given, limits, least_iou) for wanted, given in both]


def _eased(rule: TieRule, paired: list[PairedBoxes], other: FoundBoxes) -> list[PairedBoxes]:
    """The same without what changed places; as they are, where that is not looked at."""
    return rule.excuse(paired, other.before.__getitem__)[0] if other.before else paired


def _without_ties(paired: PairedBoxes, eased: PairedBoxes) -> tuple[Detections, Detections]:
    """What either side has, but for what changed places."""
    lost, won = set(paired.missing) - set(eased.missing), set(paired.extra) - set(eased.extra)
    return _but(paired.wanted, lost), _but(paired.found, won)


def _but(boxes: Detections, left_out: set[int]) -> Detections:
    rows = [index for index in range(len(boxes)) if index not in left_out]
    return Detections(boxes.boxes[rows], boxes.scores[rows], boxes.labels[rows])


def _limits(thresholds: Mapping[str, float], label_ids: Sequence[str]) -> npt.NDArray[np.float64]:
    return np.array([thresholds.get(label_id, 0.5) for label_id in label_ids])


def _pairs_alone(paired: PairedBoxes) -> PairedBoxes:
    return replace(paired, missing=[], extra=[])


def _tolerance(
    precision: Precision, paired: Sequence[PairedBoxes], limits: npt.NDArray[np.float64]
) -> Tolerance:
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
