"""Figures of one model on the evaluation set, and whether a variant may go into the bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_sdk.contract.manifest import Metric
from edge_sdk.contract.values import Array
from edge_sdk.metrics.classification import correct_clips, decide, label_metrics

from ..data.labelled_set import LabelledSet
from ..report.report_file import LabelReport, Moved, label_report
from ..spec.spec_file import ConversionSpec
from .scoring import Scores
from .trial import Verdict

__all__ = ["Judge"]

_MOST_NAMED = 5
_ROUNDING = 1e-9  # 0.34 - 0.33 is a little more than 0.01 in binary


class Judge:
    """Compares classifiers on one evaluation set.

    Only labels that the set has are judged: about others it says nothing.

    Args:
        spec: Thresholds and whether labels exclude each other.
        dataset: The evaluation set.
        max_drop: How much the metric may lose, overall and for any label.
    """

    def __init__(self, spec: ConversionSpec, dataset: LabelledSet[Any], max_drop: float) -> None:
        self._exclusive = spec.classes.exclusive
        self._dataset = dataset
        self._max_drop = max_drop
        self._label_ids = dataset.covered
        self._columns = [dataset.label_ids.index(label_id) for label_id in self._label_ids]
        self._thresholds = spec.thresholds
        self._all_label_ids = dataset.label_ids
        self._truth = dataset.truth[:, self._columns]

    def threshold(self, label_id: str) -> float:
        """What a score must reach: the rule's threshold, or 0.5 for a label without a rule."""
        return self._thresholds.get(label_id, 0.5)

    def metric(self, scores: Scores) -> Metric:
        """The one figure that the gate looks at, with its exact interval."""
        share = correct_clips(self._truth, self._decide(scores.clips))
        interval = share.interval
        return Metric(
            name="accuracy" if self._exclusive else "exact_match",
            value=share.hits / share.n,
            n=share.n,
            low=interval.low,
            high=interval.high,
        )

    def labels(self, scores: Scores) -> list[LabelReport]:
        """Figures for each label of the set."""
        found = label_metrics(
            self._label_ids, self._truth, self._decide(scores.clips), scores.clips[:, self._columns]
        )
        return [label_report(metrics, self.threshold(metrics.label_id)) for metrics in found]

    def judge(self, source: Scores, variant: Scores) -> Verdict:
        """Hold a variant against the float source."""
        drop = self.metric(source).value - self.metric(variant).value
        worst_label, label_drop = self._worst_label(source, variant)
        agreed = self._decide_all(source.windows) == self._decide_all(variant.windows)
        if self._exclusive:  # one decision: of a thousand labels, all but two agree on a wrong answer, too
            agreed = agreed.all(axis=1)
        verdict = Verdict(
            refusal="",
            drop=drop,
            agreement=float(agreed.mean()),
            max_abs_difference=float(np.abs(source.windows - variant.windows).max()),
            worst_label=worst_label,
            worst_label_drop=label_drop,
            furthest=self._furthest(source, variant),
        )
        return self._with_refusal(verdict)

    def _with_refusal(self, verdict: Verdict) -> Verdict:
        limit = self._max_drop + _ROUNDING
        label, label_drop = verdict.worst_label, verdict.worst_label_drop
        if verdict.drop > limit:
            refusal = f"the metric drops by {verdict.drop:.4f}, more than {self._max_drop:g}"
        elif label_drop is not None and label_drop > limit:
            refusal = f"'{label}' drops by {label_drop:.4f}, more than {self._max_drop:g}"
        else:
            return verdict
        names = ", ".join(moved.sample for moved in verdict.furthest[:3])
        return replace(verdict, refusal=f"{refusal}; furthest off: {names}")

    def _worst_label(self, source: Scores, variant: Scores) -> tuple[str | None, float | None]:
        drops = [
            (before - after, label.label)
            for label, other in zip(self.labels(source), self.labels(variant), strict=True)
            if (before := self._label_value(label)) is not None
            and (after := self._label_value(other)) is not None
        ]
        if not drops:
            return None, None
        largest, label_id = max(drops, key=lambda item: item[0])
        return label_id, largest

    def _label_value(self, label: LabelReport) -> float | None:
        return label.recall.value if self._exclusive else label.balanced_accuracy

    def _furthest(self, source: Scores, variant: Scores) -> list[Moved]:
        """Samples by how far the variant is off; those decided otherwise come first."""
        before, after = source.clips[:, self._columns], variant.clips[:, self._columns]
        difference = np.abs(before - after)
        flipped = self._decide(source.clips) != self._decide(variant.clips)
        rank = difference + flipped
        notes = []
        for index in np.argsort(-rank.max(axis=1), kind="stable")[:_MOST_NAMED]:
            column = int(rank[index].argmax())
            label_id = self._label_ids[column]
            notes.append(
                Moved(
                    sample=self._dataset.samples[index].name,
                    label=label_id,
                    source_score=float(before[index, column]),
                    score=float(after[index, column]),
                    threshold=self.threshold(label_id),
                    flipped=bool(flipped[index, column]),
                )
            )
        return notes

    def _decide(self, scores: Array) -> npt.NDArray[np.bool_]:
        """Decisions for the labels of the set; with exclusive labels, another label may win."""
        return self._decide_all(scores)[:, self._columns]

    def _decide_all(self, scores: Array) -> npt.NDArray[np.bool_]:
        return decide(scores, self._thresholds, self._all_label_ids, exclusive=self._exclusive)
