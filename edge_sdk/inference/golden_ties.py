"""Which of two boxes over one thing is left, where rounding decides: not what a golden sample is about.

Suppression drops what overlaps a better box. Two candidates of nearly one score change places by rounding:
then the device has the other one, and may have others for what that one drops. The suppression itself is
the same code on every device; so each expected box must be there before it, in its place and with its score,
and a box that is there in addition must be one that an expected box would have dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from msgspec import structs

from ..contract.detector import DetectionOutput, Suppression
from ..contract.values import Detections
from ..decode.boxes import pairwise_iou

__all__ = ["Ties", "without_suppression"]

_MOST = 10_000


def without_suppression(output: DetectionOutput, least_score: float) -> DetectionOutput | None:
    """A detector's output with all boxes from a score on; None where no rule of ours drops any for good.

    Args:
        output: As the manifest has it.
        least_score: It may be lower than the manifest's, which a box may fall below by rounding.
    """
    if output.suppression.method != "hard":
        return None
    least = min(output.least_score, max(0.0, least_score))
    return structs.replace(output, suppression=Suppression(method="none"), least_score=least, most=_MOST)


@dataclass(frozen=True)
class Ties:
    """What may come of suppression in one picture.

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

    def may_be_missing(self, missing: Sequence[int]) -> list[bool]:
        """Whether expected boxes were there, in their places and with their scores, and others are better.

        Or whether they would be there, were the least score of all not so near.

        Args:
            missing: Indices of expected boxes.
        """
        own, before = _taken(self.wanted, missing), self.before
        fits = pairwise_iou(own.boxes, before.boxes) >= self.least_iou
        fits &= own.labels[:, None] == before.labels[None, :]
        fits &= np.abs(own.scores[:, None].astype(np.float64) - before.scores[None, :]) <= self.bound
        too_low = fits & (before.scores < self.output.least_score)[None, :]
        dropped = fits.any(axis=1) & self._drops(self.found, own).any(axis=0)
        return list(np.logical_or(dropped, too_low.any(axis=1)).tolist())

    def may_be_extra(self, extra: Sequence[int], there: Sequence[int]) -> list[bool]:
        """Whether boxes that were not expected are such as an expected one would have dropped.

        Args:
            extra: Indices of boxes that were found.
            there: Indices of expected boxes that were found, or that may be missing.
        """
        drops = self._drops(_taken(self.wanted, there), _taken(self.found, extra))
        return list(np.any(drops, axis=0).tolist())

    def _drops(self, better: Detections, worse: Detections) -> npt.NDArray[np.bool_]:
        """Which box would drop which other one, or might, by rounding: ``[better, worse]``."""
        rule = self.output.suppression
        drops = pairwise_iou(better.boxes, worse.boxes) > rule.iou_threshold - (1 - self.least_iou)
        if rule.by_class:
            drops &= better.labels[:, None] == worse.labels[None, :]
        drops &= better.scores[:, None].astype(np.float64) >= worse.scores[None, :] - self.bound
        return np.asarray(drops)


def _taken(boxes: Detections, indices: Sequence[int]) -> Detections:
    rows = list(indices)
    return Detections(boxes.boxes[rows], boxes.scores[rows], boxes.labels[rows])
