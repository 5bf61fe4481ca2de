"""Do calibration samples show what is judged? What lies beyond the ranges they measure is cut off."""

from __future__ import annotations

from typing import Any

from edge_sdk.errors import DatasetError

from .labelled_set import LabelledSet
from .nouns import Nouns
from .shortlist import shortlist

__all__ = ["check_coverage"]

_MOST_LABELS = 20
"""Of so many labels anybody can give samples. Of a thousand nobody does, and their ranges are alike."""
_FEWEST_SAMPLES = 100
"""What TensorFlow's guide to integer quantization asks for at least (100 to 500)."""


def check_coverage(calibration: LabelledSet[Any], evaluation: LabelledSet[Any], nouns: Nouns) -> list[str]:
    """Hold calibration samples against the labels that are judged, and background.

    Where 20 labels or fewer are judged, each must be there. Where there are more, 100 samples of
    several labels will do, and a warning says what they lack.

    Args:
        calibration: Labelled samples that ranges are measured on.
        evaluation: Samples that judge.
        nouns: What samples are called in messages.

    Returns:
        Warnings for the report.

    Raises:
        DatasetError: They are one-sided, or few and lack labels.
    """
    judged, seen = _kinds(evaluation), _kinds(calibration)
    missing = [label_id for label_id in judged if label_id not in seen]
    if not missing:
        return []
    n = len(calibration.samples)
    if len(judged) <= _MOST_LABELS:
        hint = f"activations of what was never seen are cut off; add a few {nouns.many} of each"
    elif n < _FEWEST_SAMPLES or len(seen) < 2:
        hint = f"give one of each, or at least {_FEWEST_SAMPLES} {nouns.many} of several labels"
    else:
        shown = f"calibrated on {n} {nouns.many} of {len(seen)} labels"
        return [f"{shown}, and none of {len(missing)} of the {len(judged)} judged: {shortlist(missing)}"]
    raise DatasetError(
        f"calibration in {calibration.root} ({n} {nouns.many}) has no {nouns.one} of: {shortlist(missing)}",
        hint=hint,
    )


def _kinds(samples: LabelledSet[Any]) -> list[str]:
    """Labels that samples have, and background where some have none."""
    background = any(not sample.labels for sample in samples.samples)
    return [*samples.covered, *(["background"] if background else [])]
