"""Which found box is which expected one, in a golden picture of a detector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..contract.golden import MOST_BOUND
from ..contract.values import Detections
from ..decode.box_matching import match_boxes
from ..decode.boxes import pairwise_iou

__all__ = ["LOWEST_IOU", "PairedBoxes", "flipped_boxes", "pair_golden"]

LOWEST_IOU = 0.3
"""Boxes that overlap less are hardly in the same place."""


@dataclass(frozen=True)
class PairedBoxes:
    """Boxes of one picture that count, or whose partner does.

    Attributes:
        wanted: All that were expected.
        found: All that were found.
        pairs: Index in ``wanted``, index in ``found``, and their intersection over union.
        missing: Indices of expected boxes at threshold without a partner.
        extra: Indices of found ones.
    """

    wanted: Detections
    found: Detections
    pairs: list[tuple[int, int, float]]
    missing: list[int]
    extra: list[int]

    def difference(self, pair: tuple[int, int, float]) -> float:
        """By how much the scores of a pair differ."""
        return abs(float(self.wanted.scores[pair[0]]) - float(self.found.scores[pair[1]]))

    def overlap(self, index: int) -> float:
        """The largest that an expected box has with any of its label that was found."""
        same = self.found.labels == self.wanted.labels[index]
        overlaps = pairwise_iou(self.wanted.boxes[index : index + 1], self.found.boxes[same])
        return float(overlaps.max(initial=0.0))

    def moved(self, index: int, bound: float) -> bool:
        """Whether nothing is where a box was expected, and one of its label and score is elsewhere."""
        return self.overlap(index) < LOWEST_IOU and any(
            self.found.labels[other] == self.wanted.labels[index]
            and abs(float(self.found.scores[other]) - float(self.wanted.scores[index])) <= bound
            for other in self.extra
        )


def pair_golden(
    wanted: Detections, found: Detections, limits: npt.NDArray[np.float64], least_iou: float
) -> PairedBoxes:
    """Pair the boxes that count; of which other ones are left by suppression, rounding decides.

    Args:
        wanted: What was expected in a picture.
        found: What was found.
        limits: What a score must reach to count, by label.
        least_iou: Pairs that overlap less are none.
    """
    near = [np.flatnonzero(one.scores >= limits[one.labels] - MOST_BOUND) for one in (wanted, found)]
    counts = [one.scores >= limits[one.labels] for one in (wanted, found)]
    kept = [
        Detections(one.boxes[rows], one.scores[rows], one.labels[rows])
        for one, rows in zip((wanted, found), near, strict=True)
    ]
    pairs = [
        (int(near[0][left]), int(near[1][right]), overlap)
        for left, right, overlap in match_boxes(kept[0], kept[1], least_iou)
    ]
    used = {left for left, _, _ in pairs}, {right for _, right, _ in pairs}
    missing, extra = (
        [int(index) for index in np.flatnonzero(own) if int(index) not in taken]
        for own, taken in zip(counts, used, strict=True)
    )
    pairs = [pair for pair in pairs if counts[0][pair[0]] or counts[1][pair[1]]]
    return PairedBoxes(wanted, found, pairs, missing, extra)


def flipped_boxes(
    paired: PairedBoxes, limits: npt.NDArray[np.float64], bound: float
) -> tuple[list[int], list[int]]:
    """Boxes over their threshold on one side that the other side has not: expected ones, and found ones.

    One that is no further over it than the bound may come and go; but it may not be somewhere else.
    """
    wanted, found = paired.wanted, paired.found
    missing = [
        index
        for index in paired.missing
        if wanted.scores[index] >= limits[wanted.labels[index]] + bound or paired.moved(index, bound)
    ]
    return missing, [
        index for index in paired.extra if found.scores[index] >= limits[found.labels[index]] + bound
    ]
