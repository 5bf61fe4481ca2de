"""Figures of classifiers where labels or samples are few."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converters.data.labelled_set import LabelledSet
from converters.data.picture_set import Picture
from converters.proof.class_figures import ClassFigures

LABELS = ("a", "b", "c", "d", "e", "f")


def samples(*labels: str) -> LabelledSet[Picture]:
    """One picture for each label; "" is background."""
    return LabelledSet(
        Path("set"),
        LABELS,
        tuple(
            Picture(f"{index}.png", Path("x"), frozenset({label} - {""}), f"{index:064x}", 8, 8)
            for index, label in enumerate(labels)
        ),
    )


def test_background_alone_says_nothing_of_a_model_that_never_alerts() -> None:
    share = ClassFigures(samples("", ""), {}, exclusive=False).right(np.zeros((2, 6), dtype=np.float32))
    assert (share.hits, share.n) == (0, 0)


def test_background_alone_is_judged_by_the_labels_that_alert() -> None:
    scores = np.zeros((2, 6), dtype=np.float32)
    scores[0, 1] = 0.9
    figures = ClassFigures(samples("", ""), {"b": 0.5}, exclusive=False, otherwise=["b"])
    assert (figures.right(scores).hits, figures.right(scores).n) == (1, 2)
    assert figures.labels(scores)[0].specificity.value == 0.5


def test_the_right_label_may_be_among_five() -> None:
    scores = np.tile(np.arange(0.6, 0, -0.1, dtype=np.float32), (4, 1))
    (top5,) = ClassFigures(samples("a", "e", "f", ""), {}, exclusive=True).top5(scores)
    assert (top5.name, top5.n) == ("top5", 3)
    assert top5.value == pytest.approx(2 / 3)
    assert ClassFigures(samples("a", "e", "f", ""), {}, exclusive=False).top5(scores) == []
