"""What the evidence does not show, in words: a report must say what it could not see."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Float32Array

from ..data.labelled_set import LabelledSet
from ..data.nouns import PICTURES, Nouns
from ..data.picture_set import PictureSet
from ..data.shortlist import shortlist
from ..report.report_file import LabelFigures
from .case import Case
from .golden import indistinct_labels

__all__ = [
    "blind_golden",
    "boxes_without_area",
    "classifier_evidence",
    "differing_pixels",
    "never_found",
    "never_recognised",
    "no_background",
    "repeated_samples",
    "thin_evidence",
    "uncounted_background",
    "unlisted_pictures",
]

_FEW = 10
_ENOUGH = 3
_MOST_PAIRS = 5
_DIFFER = ("bicubic", "area")


def classifier_evidence(
    case: Case[Any], found: Sequence[LabelFigures], nouns: Nouns, expected: Float32Array, bound: float
) -> list[str]:
    """All that is to be said of a classifier's.

    Args:
        case: The model and its data sets.
        found: The float source's figures by label.
        nouns: What samples are called.
        expected: Scores of the golden samples, ``[n, labels]``.
        bound: The widest of the variants that passed.
    """
    evaluation = case.evaluation
    exclusive = case.spec.classes.exclusive
    return [
        *never_recognised(found, nouns),
        *thin_evidence(evaluation, case.spec.thresholds, nouns),
        *repeated_samples(evaluation, nouns),
        *(uncounted_background(evaluation, nouns) if exclusive else no_background(evaluation)),
        *blind_golden(evaluation, expected, bound),
        *differing_pixels(case.spec.input),
    ]


def thin_evidence(evaluation: LabelledSet[Any], alerting: Container[str], nouns: Nouns) -> list[str]:
    """Labels with few samples, and labels with a rule but without any."""
    warnings = []
    counts = dict(zip(evaluation.label_ids, evaluation.truth.sum(axis=0).tolist(), strict=True))
    few = [f"{label_id} ({n})" for label_id, n in counts.items() if 0 < n < _FEW]
    if few:
        warnings.append(f"few {nouns.many}, so wide intervals: {shortlist(few)}")
    unproved = [label_id for label_id, n in counts.items() if n == 0 and label_id in alerting]
    if unproved:
        missing = f"labels that alert but have no {nouns.one} in the evaluation set"
        warnings.append(f"{missing}: {shortlist(unproved)}")
    return warnings


def repeated_samples(evaluation: LabelledSet[Any], nouns: Nouns) -> list[str]:
    """A sample that counts twice makes every interval narrower than it is."""
    counts = Counter(sample.sha256 for sample in evaluation.samples)
    again = sum(counts.values()) - len(counts)
    if not again:
        return []
    first = next(sample.name for sample in evaluation.samples if counts[sample.sha256] > 1)
    are = "is there already, so it counts" if again == 1 else "are there already, so they count"
    return [f"{nouns.counted(again)} of the evaluation set {are} again: as {first}"]


def unlisted_pictures(evaluation: PictureSet) -> list[str]:
    """Background that nobody listed would be a pity to lose; what is in it cannot be known."""
    names = evaluation.unlisted
    if not names:
        return []
    how = "where there is nothing in a picture, list it without boxes"
    told = PICTURES.counted(len(names))
    return [f"no annotation tells of {told}, which cannot judge: {shortlist(names, 3)}; {how}"]


def differing_pixels(fed: object) -> list[str]:
    """Not all ways of resizing give the device what was judged here; what is no picture is not resized."""
    if not isinstance(fed, ImageInput) or fed.interpolation not in _DIFFER:
        return []
    said = f"interpolation = '{fed.interpolation}' may give another processor pixels that are one level off"
    return [f"{said}; with 'bilinear' or 'opencv_bilinear' every machine computes the same"]


def boxes_without_area(evaluation: PictureSet) -> list[str]:
    """Marks in which nothing can be found: a few are slips of the mouse, many are a broken export."""
    n = evaluation.boxes_without_area
    if not n:
        return []
    noun = "1 box of the evaluation set has" if n == 1 else f"{n} boxes of the evaluation set have"
    return [f"{noun} no area and cannot be found, so it is as if nothing were marked there"]


def never_recognised(labels: Sequence[LabelFigures], nouns: Nouns) -> list[str]:
    """Labels of which the trained model itself finds none: most often the spec is wrong, not the model."""
    missed = _none_right(labels)
    if not missed:
        return []
    question = "are the labels in the model's order, and is it fed as it was trained?"
    return [f"the trained model recognises no {nouns.one} of {shortlist(missed)}: {question}"]


def never_found(labels: Sequence[LabelFigures]) -> list[str]:
    """The same of a detector's, where it is at threshold that none is found."""
    missed = _none_right(labels)
    if not missed:
        return []
    question = "is the threshold too high, or are the labels not in the model's order?"
    return [f"the trained model finds no thing at threshold of {shortlist(missed)}: {question}"]


def _none_right(labels: Sequence[LabelFigures]) -> list[str]:
    return [
        f"{item.label} (0 of {item.recall.n})"
        for item in labels
        if item.recall.n >= _ENOUGH and item.recall.hits == 0
    ]


def no_background(evaluation: LabelledSet[Any]) -> list[str]:
    """False alarms need something without any label."""
    if (~evaluation.truth.any(axis=1)).any():
        return []
    return ["the evaluation set has no background: false alarms were not looked for"]


def uncounted_background(evaluation: LabelledSet[Any], nouns: Nouns) -> list[str]:
    """Of labels that exclude each other one always wins, over background too."""
    n = int((~evaluation.truth.any(axis=1)).sum())
    if not n:
        return []
    which = f"{n} of {nouns.counted(len(evaluation.samples))} {'is' if n == 1 else 'are'} background"
    what = "it counts as a false alarm" if n == 1 else "they count as false alarms"
    return [f"{which}: where labels exclude each other one always wins, so {what} alone"]


def blind_golden(evaluation: LabelledSet[Any], expected: Float32Array, bound: float) -> list[str]:
    """Swapped labels must fail the golden samples; say where they would not.

    Args:
        evaluation: Its covered labels are looked at.
        expected: Scores of the golden samples, ``[n, labels]``.
        bound: The widest of the variants that passed.
    """
    columns = [evaluation.label_ids.index(label_id) for label_id in evaluation.covered]
    pairs = indistinct_labels(evaluation.covered, np.ascontiguousarray(expected[:, columns]), bound)
    named = [f"{first}/{second}" for first, second in itertools.islice(pairs, _MOST_PAIRS)]
    if not named:
        return []
    rest = sum(1 for _ in pairs)
    more = f" and {rest} more pairs" if rest else ""
    remedy = (
        "make sure that the spec has them in the order of training, or add evaluation samples of which the "
        "model is surer"
    )
    return [f"golden samples would not notice these labels exchanged: {', '.join(named)}{more}; {remedy}"]
