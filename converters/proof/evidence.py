"""What the evidence does not show, in words: a report must say what it could not see."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from edge_sdk.contract.values import Float32Array

from ..data.labelled_set import LabelledSet
from ..data.nouns import Nouns
from ..report.report_file import LabelFigures, LabelReport
from .golden import indistinct_labels

__all__ = ["blind_golden", "never_recognised", "no_background", "thin_evidence"]

_FEW = 10
_ENOUGH = 3
_MOST_NAMED = 10
_MOST_PAIRS = 5


def thin_evidence(evaluation: LabelledSet[Any], alerting: Container[str], nouns: Nouns) -> list[str]:
    """Labels with few samples, and labels with a rule but without any."""
    warnings = []
    counts = dict(zip(evaluation.label_ids, evaluation.truth.sum(axis=0).tolist(), strict=True))
    few = [f"{label_id} ({n})" for label_id, n in counts.items() if 0 < n < _FEW]
    if few:
        warnings.append(f"few {nouns.many}, so wide intervals: {', '.join(few)}")
    unproved = [label_id for label_id, n in counts.items() if n == 0 and label_id in alerting]
    if unproved:
        more = f" and {len(unproved) - _MOST_NAMED} more" if len(unproved) > _MOST_NAMED else ""
        shown = ", ".join(unproved[:_MOST_NAMED])
        warnings.append(f"labels that alert but have no {nouns.one} in the evaluation set: {shown}{more}")
    return warnings


def never_recognised(labels: Sequence[LabelFigures], nouns: Nouns) -> list[str]:
    """Labels of which the trained model itself finds none: most often the spec is wrong, not the model."""
    missed = [
        f"{item.label} (0 of {item.recall.n})"
        for item in labels
        if isinstance(item, LabelReport) and item.recall.n >= _ENOUGH and item.recall.hits == 0
    ]
    if not missed:
        return []
    shown = ", ".join(missed[:_MOST_NAMED])
    question = "are the labels in the model's order, and is it fed as it was trained?"
    return [f"the trained model recognises no {nouns.one} of {shown}: {question}"]


def no_background(evaluation: LabelledSet[Any]) -> list[str]:
    """False alarms need something without any label."""
    if (~evaluation.truth.any(axis=1)).any():
        return []
    return ["the evaluation set has no background: false alarms were not looked for"]


def blind_golden(evaluation: LabelledSet[Any], expected: Float32Array, bound: float) -> list[str]:
    """Swapped labels must fail the golden samples; say where they would not.

    Args:
        evaluation: Its covered labels are looked at.
        expected: Scores of the golden samples, ``[n, labels]``.
        bound: The widest of the variants that passed.
    """
    columns = [evaluation.label_ids.index(label_id) for label_id in evaluation.covered]
    pairs = indistinct_labels(evaluation.covered, np.ascontiguousarray(expected[:, columns]), bound)
    if not pairs:
        return []
    shown = ", ".join(f"{first}/{second}" for first, second in pairs[:_MOST_PAIRS])
    more = f" and {len(pairs) - _MOST_PAIRS} more pairs" if len(pairs) > _MOST_PAIRS else ""
    return [f"golden samples would not notice these labels exchanged: {shown}{more}"]
