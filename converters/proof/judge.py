"""Whether a variant of a classifier may go into the bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..data.labelled_set import LabelledSet
from ..report.report_file import LabelReport, Moved
from ..spec.conversion_spec import ConversionSpec
from .class_figures import ClassFigures, share_metric
from .scoring import Scores
from .verdict import MOST_NAMED, ROUNDING, Judged, Verdict

__all__ = ["ClassJudge"]


class ClassJudge:
    """Compares classifiers on one evaluation set.

    Args:
        spec: Thresholds and whether labels exclude each other.
        samples: The evaluation set.
        max_drop: How much the metric may lose, overall and for any label.

    Raises:
        DatasetError: Labels exclude each other, and a sample has several.
    """

    def __init__(self, spec: ConversionSpec, samples: LabelledSet[Any], max_drop: float) -> None:
        self._exclusive = spec.classes.exclusive
        self._samples = samples
        self._max_drop = max_drop
        self._figures = ClassFigures(samples, spec.thresholds, exclusive=self._exclusive)

    def figures(self, scores: Scores) -> Judged:
        """See :class:`.answers.Judge`."""
        name = "accuracy" if self._exclusive else "exact_match"
        return Judged(
            metric=share_metric(name, self._figures.right(scores.samples)),
            labels=self._figures.labels(scores.samples),
            more=self._figures.top5(scores.samples),
            confusion=self._figures.confusion(scores.samples),
        )

    def judge(self, source: Scores, variant: Scores, before: Judged, after: Judged) -> Verdict:
        """See :class:`.answers.Judge`."""
        worst_label, label_drop = self._worst_label(before, after)
        # Of each window all decisions count as one: of a thousand labels nearly all agree on any mistake.
        decided = self._figures.decide_all
        agreed = (decided(source.windows) == decided(variant.windows)).all(axis=1)
        verdict = Verdict(
            refusal="",
            drop=before.metric.value - after.metric.value,
            agreement=float(agreed.mean()),
            max_abs_difference=float(np.abs(source.windows - variant.windows).max()),
            worst_label=worst_label,
            worst_label_drop=label_drop,
            furthest=self._furthest(source, variant),
        )
        return self._with_refusal(verdict, before, after)

    def _with_refusal(self, verdict: Verdict, before: Judged, after: Judged) -> Verdict:
        limit = self._max_drop + ROUNDING
        label, label_drop = verdict.worst_label, verdict.worst_label_drop
        if verdict.drop > limit:
            hits = [round(one.metric.value * one.metric.n) for one in (before, after)]
            fewer = f"{hits[0]} to {hits[1]} of {after.metric.n}"
            refusal = f"the metric drops by {verdict.drop:.4f} ({fewer}), more than {self._max_drop:g}"
        elif label_drop is not None and label_drop > limit:
            fewer = _fewer(_report_of(label, before), _report_of(label, after))
            refusal = f"'{label}' drops by {label_drop:.4f} ({fewer}), more than {self._max_drop:g}"
        else:
            return verdict
        names = ", ".join(moved.sample for moved in verdict.furthest[:3])
        return replace(verdict, refusal=f"{refusal}; furthest off: {names}")

    def _worst_label(self, before: Judged, after: Judged) -> tuple[str | None, float | None]:
        drops = [
            (one - other, label.label)
            for label, changed in zip(before.labels, after.labels, strict=True)
            if isinstance(label, LabelReport)
            and isinstance(changed, LabelReport)
            and (one := self._label_value(label)) is not None
            and (other := self._label_value(changed)) is not None
        ]
        if not drops:
            return None, None
        largest, label_id = max(drops, key=lambda item: item[0])
        return label_id, largest

    def _label_value(self, label: LabelReport) -> float | None:
        return label.recall.value if self._exclusive else label.balanced_accuracy

    def _furthest(self, source: Scores, variant: Scores) -> list[Moved]:
        """Samples by how far the variant is off; those decided otherwise come first."""
        figures = self._figures
        before, after = figures.chosen(source.samples), figures.chosen(variant.samples)
        flipped = figures.decide(source.samples) != figures.decide(variant.samples)
        rank = np.abs(before - after) + flipped
        notes = []
        for index in np.argsort(-rank.max(axis=1), kind="stable")[:MOST_NAMED]:
            column = int(rank[index].argmax())
            label_id = figures.label_ids[column]
            notes.append(
                Moved(
                    sample=self._samples.samples[index].name,
                    label=label_id,
                    source_score=float(before[index, column]),
                    score=float(after[index, column]),
                    threshold=figures.threshold(label_id),
                    flipped=bool(flipped[index, column]),
                )
            )
        return notes


def _report_of(label_id: str | None, judged: Judged) -> LabelReport:
    return next(item for item in judged.labels if isinstance(item, LabelReport) and item.label == label_id)


def _fewer(before: LabelReport, after: LabelReport) -> str:
    """What a drop is in samples: of few, one is a large share."""
    shares = [("recall", before.recall, after.recall), ("specificity", before.specificity, after.specificity)]
    return ", ".join(
        f"{name} {one.hits} to {other.hits} of {other.n}"
        for name, one, other in shares
        if other.hits < one.hits
    )
