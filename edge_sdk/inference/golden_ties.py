"""Which of two boxes over one thing is left, where rounding decides: not what a golden sample is about.

Suppression drops what overlaps a better box. Two candidates of nearly one score change places by rounding:
then the device has the other one. This excuses one expected box against one other box, where the device has
both before suppression, the expected one as it should be; nothing else, since a device that computes
something else must not pass. What rounding changes beyond that fails, and is told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from msgspec import structs

from ..contract.detector import DetectionOutput, Suppression
from ..contract.values import Detections
from ..decode.boxes import pairwise_iou
from .golden_box_pairs import PairedBoxes, flipped_boxes

__all__ = ["TieRule", "Ties", "most_ties", "without_suppression"]

_MOST_CANDIDATES = 10_000

_MARGIN = 0.02
"""Scores that differ by more are no tie, whatever the bound of a variant: it may be ten times as wide."""

_OVERLAP_SLACK = 0.05
"""A device's box is not quite the expected one; and of one that the picture's edge cuts a part is gone."""

_LEAST_OVERLAP = 0.3
"""Boxes that overlap less are not over one thing, whatever the suppression's threshold."""

_SAME_BOX = 0.99

_TIES_SHARE = 10
"""One box in so many may be tied."""

_FEWEST_BOXES = 5
"""From so many on one may be tied: of fewer, too little would be left to show a mistake."""


def most_ties(n_expected: int) -> int:
    """How many boxes of a set of golden samples may be tied: more are a mistake that looks like ties."""
    return 0 if n_expected < _FEWEST_BOXES else max(1, n_expected // _TIES_SHARE)


def without_suppression(output: DetectionOutput, least_score: float) -> DetectionOutput | None:
    """A detector's output with all boxes from a score on; None where no rule of ours drops any for good.

    Args:
        output: As the manifest has it.
        least_score: It may be lower than the manifest's, which a box may fall below by rounding.
    """
    if output.suppression.method != "hard":
        return None
    least = min(output.least_score, max(0.0, least_score))
    none = Suppression(method="none")
    return structs.replace(output, suppression=none, least_score=least, most=_MOST_CANDIDATES)


@dataclass(frozen=True)
class TieRule:
    """Excuses boxes that changed places, in all pictures of a set together.

    Attributes:
        output: The detector's, as the manifest has it.
        limits: What a score must reach to count, by label.
        bound: How far a score may be off.
        least_iou: How much a box must overlap the expected one.
    """

    output: DetectionOutput
    limits: npt.NDArray[np.float64]
    bound: float
    least_iou: float

    def excuse(
        self, paired: Sequence[PairedBoxes], before: Callable[[int], Detections]
    ) -> tuple[list[PairedBoxes], int]:
        """The pictures without what changed places, and how many boxes did; as they were, where too many did.

        Args:
            paired: Of each picture.
            before: What was found in a picture before suppression; asked only where that may be what made
                a difference.
        """
        eased = [self._without_ties(one, partial(before, index)) for index, one in enumerate(paired)]
        n_tied = sum(len(one.missing) for one in paired) - sum(len(one.missing) for one in eased)
        n_expected = sum(int(np.sum(one.wanted.scores >= self.limits[one.wanted.labels])) for one in paired)
        return (list(paired), 0) if n_tied > most_ties(n_expected) else (eased, n_tied)

    def _without_ties(self, paired: PairedBoxes, before: Callable[[], Detections]) -> PairedBoxes:
        """The same, but for expected boxes and found ones that rounding made change places."""
        flipped = flipped_boxes(paired, self.limits, self.bound)
        if not any(flipped):
            return paired
        ties = Ties(self.output, before(), paired.found, paired.wanted, self.bound, self.least_iou)
        tied = [
            pair
            for pair in ties.pairs(paired.missing, paired.extra)
            if pair[0] in flipped[0] or pair[1] in flipped[1]
        ]
        lost, won = {pair[0] for pair in tied}, {pair[1] for pair in tied}
        return replace(
            paired,
            missing=[index for index in paired.missing if index not in lost],
            extra=[index for index in paired.extra if index not in won],
        )


@dataclass(frozen=True)
class Ties:
    """What may have changed places in one picture.

    Attributes:
        output: The detector's, as the manifest has it.
        before: What was found before suppression.
        found: What is left.
        wanted: What was expected to be left.
        bound: How far a score may be off.
        least_iou: How much a box must overlap the expected one.
    """

    output: DetectionOutput
    before: Detections
    found: Detections
    wanted: Detections
    bound: float
    least_iou: float

    def pairs(self, missing: Sequence[int], extra: Sequence[int]) -> list[tuple[int, int]]:
        """Which expected box lost to which one that was found; each, and each candidate, is used once.

        Args:
            missing: Indices of expected boxes that were not found.
            extra: Indices of boxes that were found and not expected.
        """
        lost, winners, dropped = _taken(self.wanted, missing), _taken(self.found, extra), self._dropped()
        overlaps = pairwise_iou(lost.boxes, dropped.boxes)
        is_it = (overlaps >= self.least_iou) & (np.abs(_ahead(lost, dropped)) <= self.bound)
        is_it &= _same_label(lost, dropped)
        tied = self._are_over_one_thing(lost, winners) & (np.abs(_ahead(lost, winners)) <= self._margin)
        ahead = _ahead(winners, dropped)
        drops = self._are_over_one_thing(winners, dropped) & (ahead >= 0) & (ahead <= self._margin)
        ways = np.argwhere(is_it[:, None, :] & tied[:, :, None] & drops[None, :, :])
        order = np.argsort(-overlaps[ways[:, 0], ways[:, 2]], kind="stable")
        used: tuple[set[int], set[int], set[int]] = (set(), set(), set())
        pairs = []
        for way in ways[order].tolist():
            if not any(index in taken for index, taken in zip(way, used, strict=True)):
                pairs.append((missing[way[0]], extra[way[1]]))
                for index, taken in zip(way, used, strict=True):
                    taken.add(index)
        return pairs

    @property
    def _margin(self) -> float:
        return min(self.bound, _MARGIN)

    def _dropped(self) -> Detections:
        """Candidates that were not left."""
        left = (pairwise_iou(self.before.boxes, self.found.boxes) > _SAME_BOX) & _same_label(
            self.before, self.found
        )
        return _taken(self.before, np.flatnonzero(~left.any(axis=1)).tolist())

    def _are_over_one_thing(self, first: Detections, second: Detections) -> npt.NDArray[np.bool_]:
        """Which boxes are such as suppression leaves one of: ``[first, second]``."""
        least = max(_LEAST_OVERLAP, self.output.suppression.iou_threshold - _OVERLAP_SLACK)
        overlap = pairwise_iou(first.boxes, second.boxes) > least
        return np.asarray(overlap & _same_label(first, second))


def _ahead(first: Detections, second: Detections) -> npt.NDArray[np.float64]:
    """By how much the scores of the first are higher: ``[first, second]``."""
    return np.asarray(first.scores[:, None].astype(np.float64) - second.scores[None, :])


def _same_label(first: Detections, second: Detections) -> npt.NDArray[np.bool_]:
    return np.asarray(first.labels[:, None] == second.labels[None, :])


def _taken(boxes: Detections, indices: Sequence[int]) -> Detections:
    rows = np.array(indices, dtype=np.int64)
    return Detections(boxes.boxes[rows], boxes.scores[rows], boxes.labels[rows])
