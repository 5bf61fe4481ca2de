"""Figures of a classifier on labelled samples, from one score a label and sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_sdk.contract.manifest import Metric
from edge_sdk.contract.values import Array, Float32Array
from edge_sdk.errors import DatasetError
from edge_sdk.metrics.classification import Share, correct_clips, decide, label_metrics

from ..data.labelled_set import LabelledSet
from ..report.confusion import ConfusionMatrix, confusion_matrix
from ..report.report_file import LabelReport, label_report

__all__ = ["ClassFigures", "share_metric"]

_TOP = 5


class ClassFigures:
    """Computes them for any number of models.

    Only labels that the samples have are looked at: about others they say nothing. Where labels exclude
    each other one always wins, so that a sample of none of them could never be right: it counts among
    those without a label, and not in the share that is right.

    Args:
        samples: What was scored.
        thresholds: By label id; a label without one is decided at 0.5.
        exclusive: The highest label wins, whatever its threshold.
        otherwise: Labels to look at where the samples have none, being background alone.

    Raises:
        DatasetError: Labels exclude each other, and a sample has several.
    """

    def __init__(
        self,
        samples: LabelledSet[Any],
        thresholds: Mapping[str, float],
        *,
        exclusive: bool,
        otherwise: Sequence[str] = (),
    ) -> None:
        if exclusive:
            _refuse_several(samples)
        self.label_ids = samples.covered or tuple(otherwise)
        self._columns = [samples.label_ids.index(label_id) for label_id in self.label_ids]
        self._all_label_ids = samples.label_ids
        self._thresholds = thresholds
        self._exclusive = exclusive
        truth = samples.truth
        self._truth = truth[:, self._columns]
        self._counted = truth.any(axis=1) if exclusive else np.ones(len(truth), dtype=np.bool_)

    def threshold(self, label_id: str) -> float | None:
        """What a score must reach; None where labels exclude each other, and the highest counts."""
        return None if self._exclusive else self._thresholds.get(label_id, 0.5)

    def decide(self, scores: Array) -> npt.NDArray[np.bool_]:
        """Decisions for the labels that are looked at; with exclusive labels, another one may win."""
        return self.decide_all(scores)[:, self._columns]

    def decide_all(self, scores: Array) -> npt.NDArray[np.bool_]:
        """Decisions for all labels of the model."""
        return decide(scores, self._thresholds, self._all_label_ids, exclusive=self._exclusive)

    def chosen(self, scores: Float32Array) -> Float32Array:
        """The columns of the labels that are looked at."""
        return scores[:, self._columns]

    def right(self, scores: Float32Array) -> Share:
        """Samples that are right in every label; nothing where there is no label to look at."""
        if not self.label_ids:
            return Share(0, 0)
        return correct_clips(self._truth[self._counted], self.decide(scores)[self._counted])

    def labels(self, scores: Float32Array) -> list[LabelReport]:
        """Figures for each label."""
        found = label_metrics(self.label_ids, self._truth, self.decide(scores), self.chosen(scores))
        return [label_report(metrics, self.threshold(metrics.label_id)) for metrics in found]

    def top5(self, scores: Float32Array) -> list[Metric]:
        """Share of samples whose label is among the five highest.

        None where labels do not exclude each other, or there are no more than five.
        """
        if not self._exclusive or scores.shape[1] <= _TOP or not self._counted.any():
            return []
        highest = np.argsort(-scores[self._counted], axis=1, kind="stable")[:, :_TOP]
        true = self._true_labels()
        hits = int((highest == true[:, np.newaxis]).any(axis=1).sum())
        return [share_metric("top5", Share(hits, len(true)))]

    def confusion(self, scores: Float32Array) -> ConfusionMatrix | None:
        """Which label is taken for which; None where labels do not exclude each other, or nothing has one."""
        if not self._exclusive or not self._counted.any():
            return None
        decided = scores[self._counted].argmax(axis=1)
        return confusion_matrix(self._all_label_ids, self._true_labels(), decided)

    def _true_labels(self) -> npt.NDArray[np.int64]:
        """Of each sample that has a label, its index among all."""
        labels: npt.NDArray[np.int64] = np.array(self._columns)[self._truth[self._counted].argmax(axis=1)]
        return labels


def share_metric(name: str, share: Share) -> Metric:
    """A share of at least one sample as a metric, with its exact interval."""
    interval = share.interval
    return Metric(name=name, value=share.hits / share.n, n=share.n, low=interval.low, high=interval.high)


def _refuse_several(samples: LabelledSet[Any]) -> None:
    for sample in samples.samples:
        if len(sample.labels) > 1:
            raise DatasetError(
                f"{sample.name} in {samples.root} is {' and '.join(sorted(sample.labels))}, but the model's "
                "labels exclude each other",
                hint="give it the one label that the model should answer, or set exclusive = false",
            )
