"""Scores by label, without a dictionary for every window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..contract.values import Float32Array

__all__ = ["LabelScores"]


class LabelScores(Mapping[str, float]):
    """Scores 0..1 by label id; the labels are shared by all windows.

    A classifier may have hundreds of labels, of which rules read a few.

    Args:
        columns: Position of each label in ``scores``.
        scores: One for each label, shape ``[labels]``; kept, not copied.
    """

    __slots__ = ("_columns", "_scores")

    def __init__(self, columns: Mapping[str, int], scores: Float32Array) -> None:
        self._columns = columns
        self._scores = scores

    def __getitem__(self, label_id: str) -> float:
        return float(self._scores[self._columns[label_id]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return repr(dict(self))
