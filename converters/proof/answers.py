"""What all forms of a model answered to the evaluation set, judged once each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

from .verdict import SOURCE, Judged, Verdict

__all__ = ["Answers", "Judge"]

AnswerT = TypeVar("AnswerT")
_JudgedT_contra = TypeVar("_JudgedT_contra", contravariant=True)


class Judge(Protocol[_JudgedT_contra]):
    """Knows one evaluation set, and answers of one kind."""

    def figures(self, answers: _JudgedT_contra) -> Judged:
        """The figures of one model."""
        ...

    def judge(
        self, source: _JudgedT_contra, variant: _JudgedT_contra, before: Judged, after: Judged
    ) -> Verdict:
        """Hold a variant's answers, and their figures, against the float source's."""
        ...


class Answers(Generic[AnswerT]):
    """See the module.

    Args:
        judge: What is asked about them.
    """

    def __init__(self, judge: Judge[AnswerT]) -> None:
        self._judge = judge
        self._given: dict[str, AnswerT] = {}
        self._figures: dict[str, Judged] = {}

    @property
    def source(self) -> AnswerT:
        """The float source's."""
        return self._given[SOURCE]

    def keep(self, given: Mapping[str, AnswerT]) -> None:
        """Take what each model answered, by name."""
        self._given = dict(given)
        self._figures = {}

    def figures(self, name: str) -> Judged:
        """The figures of one model that was run."""
        if name not in self._figures:
            self._figures[name] = self._judge.figures(self._given[name])
        return self._figures[name]

    def verdict(self, name: str) -> Verdict:
        """Hold one model that was run against the float source."""
        return self._judge.judge(self.source, self._given[name], self.figures(SOURCE), self.figures(name))
