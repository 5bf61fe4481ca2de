"""Figures of merit of a classifier, per clip.

A clip's score for a label is the highest of its windows: a device alerts on its best window, so
that is what must be right. ``truth`` and ``scores`` are ``[clips, labels]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..contract.values import Array
from .intervals import Interval, auc_interval, share_interval

__all__ = ["LabelMetrics", "Share", "correct_clips", "decide", "label_metrics", "roc_auc"]

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Share:
    """A counted share and its exact 95 % interval; ``value`` is None where nothing was counted."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """Hits by n."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> Interval:
        """Clopper and Pearson's."""
        return share_interval(self.hits, self.n)


@dataclass(frozen=True, slots=True)
class LabelMetrics:
    """What clips say about one label.

    Attributes:
        recall: Of the clips with the label, those decided so.
        specificity: Of the clips without it, those decided so.
        precision: Of the clips decided to have it, those that do.
        auc: Chance that a clip with the label scores above one without; None without both kinds.
        auc_interval: Its 95 % interval, approximate; it rests on ``recall.n`` clips with the label and
            ``specificity.n`` without.
    """

    label_id: str
    recall: Share
    specificity: Share
    precision: Share
    auc: float | None
    auc_interval: Interval | None

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of recall and specificity; the one that is known where clips of one kind are missing."""
        known = [share.value for share in (self.recall, self.specificity) if share.value is not None]
        return sum(known) / len(known) if known and self.recall.n else None


def decide(
    scores: Array, thresholds: Mapping[str, float], label_ids: Sequence[str], *, exclusive: bool
) -> BoolArray:
    """Turn scores into decisions.

    Args:
        scores: float, shape ``[n, labels]``.
        thresholds: By label id; a label without one is decided at 0.5.
        label_ids: The columns.
        exclusive: The highest label wins, whatever its threshold.

    Returns:
        bool, shape ``[n, labels]``.
    """
    if exclusive:
        decided = np.zeros(scores.shape, dtype=np.bool_)
        if len(scores):
            decided[np.arange(len(scores)), scores.argmax(axis=1)] = True
        return decided
    limits = np.array([thresholds.get(label_id, 0.5) for label_id in label_ids])
    decisions: BoolArray = np.asarray(scores) >= limits
    return decisions


def correct_clips(truth: BoolArray, decided: BoolArray) -> Share:
    """Clips that are right in every label: accuracy where labels exclude each other, else exact match."""
    return Share(int((truth == decided).all(axis=1).sum()), len(truth))


def label_metrics(
    label_ids: Sequence[str], truth: BoolArray, decided: BoolArray, scores: Array
) -> list[LabelMetrics]:
    """Figures for each label, in the order of ``label_ids``."""
    return [
        _one_label(label_id, truth[:, column], decided[:, column], scores[:, column])
        for column, label_id in enumerate(label_ids)
    ]


def _one_label(label_id: str, truth: BoolArray, decided: BoolArray, scores: Array) -> LabelMetrics:
    right = int((truth & decided).sum())
    positives, negatives = int(truth.sum()), int((~truth).sum())
    auc = roc_auc(truth, scores)
    return LabelMetrics(
        label_id=label_id,
        recall=Share(right, positives),
        specificity=Share(int((~truth & ~decided).sum()), negatives),
        precision=Share(right, int(decided.sum())),
        auc=auc,
        auc_interval=None if auc is None else auc_interval(auc, positives, negatives),
    )


def roc_auc(truth: BoolArray, scores: Array) -> float | None:
    """Area under the ROC curve by the rank sum (Mann & Whitney, 1947); ties count half.

    Returns:
        None where all samples, or none, are positive.
    """
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean_rank = last - (counts - 1) / 2
    rank_sum = float(mean_rank[inverse.reshape(-1)][truth].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)
