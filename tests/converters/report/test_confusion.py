"""Which label is taken for which."""

from __future__ import annotations

import numpy as np

from converters.report.confusion import Confused, confusion_matrix, most_confused

LABELS = ("cat", "dog", "owl", "saw")
MATRIX = confusion_matrix(LABELS, np.array([0, 0, 0, 1, 1, 3]), np.array([0, 1, 1, 1, 0, 3]))


def test_a_row_is_what_there_is_and_a_column_what_was_decided() -> None:
    assert MATRIX.labels == ["cat", "dog", "saw"]
    assert MATRIX.counts == [[1, 2, 0], [1, 1, 0], [0, 0, 1]]


def test_mistakes_come_by_frequency() -> None:
    cat, dog = most_confused(MATRIX, 5)
    assert cat == Confused(label="cat", decided="dog", n=2)
    assert dog == Confused(label="dog", decided="cat", n=1)
    assert most_confused(MATRIX, 1) == [cat]
