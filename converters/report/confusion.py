"""Which label is taken for which, where labels exclude each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

__all__ = ["Confused", "ConfusionMatrix", "confusion_matrix", "most_confused"]


class ConfusionMatrix(Struct, frozen=True, kw_only=True):
    """Samples by the label that they have and the one that was decided.

    Attributes:
        labels: Those that samples have, or that were decided, in the model's order.
        counts: A row for each label that samples have, a column for each that was decided.
    """

    labels: list[str]
    counts: list[list[int]]


class Confused(Struct, frozen=True, kw_only=True):
    """So many samples of a label were decided to be of another."""

    label: str
    decided: str
    n: int


def confusion_matrix(
    label_ids: Sequence[str], true: npt.NDArray[np.int64], decided: npt.NDArray[np.int64]
) -> ConfusionMatrix:
    """Count samples.

    Args:
        label_ids: All labels of the model, in its order.
        true: Index of each sample's label.
        decided: Index of the label that was decided.
    """
    there = np.union1d(true, decided)
    counts = np.zeros((len(there), len(there)), dtype=np.int64)
    np.add.at(counts, (np.searchsorted(there, true), np.searchsorted(there, decided)), 1)
    return ConfusionMatrix(labels=[label_ids[index] for index in there], counts=counts.tolist())


def most_confused(matrix: ConfusionMatrix, most: int) -> list[Confused]:
    """The most frequent mistakes, the most frequent first."""
    mistakes = [
        Confused(label=label, decided=decided, n=n)
        for label, row in zip(matrix.labels, matrix.counts, strict=True)
        for decided, n in zip(matrix.labels, row, strict=True)
        if n and decided != label
    ]
    return sorted(mistakes, key=lambda item: -item.n)[:most]
