"""What a detector's figures say that a table does not: warnings for the report."""

from __future__ import annotations

from collections.abc import Sequence

from ..data.shortlist import shortlist
from ..report.report_file import BoxLabelReport, LabelFigures
from .verdict import Judged

__all__ = ["low_precision", "many_false_boxes"]

_LOW = 0.2
"""Trained detectors of many small things reach so much; what is wrong in a spec costs more."""
_FEWEST_FALSE = 10
_MOST_NAMED = 5


def low_precision(judged: Judged) -> list[str]:
    """A detector that finds next to nothing: most often the spec is wrong, not the model."""
    if judged.metric.value >= _LOW:
        return []
    question = (
        "are coding, grids and activations under [detector] the model's, and are pictures prepared as it was "
        "trained?"
    )
    return [f"mAP50 of the trained model itself is {judged.metric.value:.3f}, which is very low: {question}"]


def many_false_boxes(labels: Sequence[LabelFigures]) -> list[str]:
    """Two false boxes for a right one: average precision does not show it, whoever looks does.

    Of labels without a true box nobody knows whether their things were annotated.
    """
    counted = [item for item in labels if isinstance(item, BoxLabelReport) and item.recall.n]
    false = sum(item.false for item in counted)
    given = sum(item.precision.n for item in counted)
    if false < _FEWEST_FALSE or 3 * false <= 2 * given:
        return []
    worst = sorted((item for item in counted if item.false), key=lambda item: -item.false)
    named = shortlist([f"{item.label} ({item.false} of {item.precision.n})" for item in worst], _MOST_NAMED)
    share = f"at threshold {false} of {given} boxes are false, precision {(given - false) / given:.3f}"
    return [f"{share}: {named}; is the threshold too low, or are things not annotated?"]
