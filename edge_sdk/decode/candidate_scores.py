"""Which candidates of one scale are worth decoding, and with what score and label.

Everything is compared before any activation is computed: a threshold on a score is a threshold on
its logit. What is left are a few candidates of thousands; only for those the exact score is computed
and decides.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..contract.detector import CandidateBoxes
from ..contract.values import Array, Float32Array
from .activation import as_share, sigmoid, softmax
from .part_layout import PartLayout
from .peaks import local_peaks
from .raw_detections import Indices
from .tensor_reader import TensorReader, refuse_no_score

__all__ = ["Chosen", "Factor", "ScoreReader"]

_MARGIN = 0.999
"""The quick comparison lets a little more through than the exact one, whatever rounding does."""


class Chosen(NamedTuple):
    """Candidates over the threshold; where several classes count, one may come several times.

    Attributes:
        candidates: Which, shape ``[k]``.
        scores: float32, shape ``[k]``.
        labels: int64, shape ``[k]``.
    """

    candidates: Indices
    scores: Float32Array
    labels: npt.NDArray[np.int64]


class Factor(NamedTuple):
    """One number of each candidate that multiplies the scores of its classes: objectness, or quality.

    Attributes:
        activation: Applied to it: ``none`` or ``sigmoid``.
        power: Then it is raised to this.
        least: What it must be before both, if a score is to be enough.
    """

    activation: str
    power: float
    least: np.float32


class ScoreReader:
    """Scores of one detector's candidates.

    Args:
        output: The manifest's description.
        n_labels: How many labels there are, without a background.
    """

    def __init__(self, output: CandidateBoxes, n_labels: int) -> None:
        self._output = output
        self._n_labels = n_labels
        self.n_columns = n_labels + (output.background != "none")
        self._first_label = int(output.background == "first")
        # A softmax looks at all classes; what else there is leaves their order as it is.
        self._best_is_best_before = not output.several_classes and output.class_activation != "softmax"
        self._least_class = _threshold(output.least_score, output.class_power, output.class_activation)
        self._objectness = _factor(output.least_score, output.objectness_power, output.objectness_activation)
        self._quality = _factor(output.least_score, output.quality_power, output.quality_activation)

    def choose(
        self,
        tensors: TensorReader,
        classes: PartLayout,
        objectness: PartLayout | None,
        quality: PartLayout | None = None,
    ) -> Chosen:
        """Read one scale.

        Raises:
            BackendError: An output that is no finite number, or no score though no activation is left.
        """
        flat = tensors.flat(classes.tensor)
        factors = [
            _over_least(tensors, part, rule)
            for part, rule in ((objectness, self._objectness), (quality, self._quality))
            if part is not None
        ]
        if not factors:
            return self._by_class(flat, classes)
        candidates, factor = factors[0]
        for others, shares in factors[1:]:
            candidates, mine, theirs = np.intersect1d(candidates, others, True, return_indices=True)
            factor = factor.take(mine) * shares.take(theirs)
        return self._exact(flat, classes, candidates, factor)

    def _by_class(self, flat: Float32Array, classes: PartLayout) -> Chosen:
        view = classes.columns(flat, classes.start + self._first_label, self._n_labels)
        if self._output.class_activation == "softmax":
            return self._exact(flat, classes, self._over_background(flat, classes, view), None)
        hits = view >= self._least_class
        if self._output.peaks:
            hits &= local_peaks(view, classes, self._output.peaks)
        if self._output.class_activation == "none":
            refuse_no_score(classes.tensor, view)
        outer, label, inner = np.unravel_index(np.flatnonzero(hits), view.shape)
        candidates = classes.candidate_of_place[outer * classes.inner + inner]
        if not (self._output.several_classes or self._output.peaks):
            return self._exact(flat, classes, np.unique(candidates), None)
        raw = view[outer, label, inner]
        scores = self._activated(raw)
        return self._over(Chosen(candidates, scores, label.astype(np.int64)))

    def _over_background(self, flat: Float32Array, classes: PartLayout, view: Float32Array) -> Indices:
        """Candidates that may have a share over the threshold: p needs p / (1 - p) times the background's."""
        if self._output.background == "none":
            return np.arange(classes.candidates)
        column = 0 if self._output.background == "first" else self._n_labels
        nothing = classes.columns(flat, classes.start + column, 1)
        hits = view >= nothing + self._least_class
        outer, _, inner = np.unravel_index(np.flatnonzero(hits), view.shape)
        return np.unique(classes.candidate_of_place[outer * classes.inner + inner])

    def _exact(
        self, flat: Float32Array, classes: PartLayout, candidates: Indices, factor: Float32Array | None
    ) -> Chosen:
        """Scores of some candidates from all their classes."""
        raw = classes.gather(flat, candidates)
        if self._output.class_activation == "none":
            refuse_no_score(classes.tensor, raw)
        if self._best_is_best_before:
            # The best class of each candidate, found before its score is computed: one instead of eighty.
            label = raw[:, self._first_label : self._first_label + self._n_labels].argmax(axis=1)
            best = self._activated(classes.pick(flat, candidates, label + self._first_label))
            return self._over(Chosen(candidates, best if factor is None else best * factor, label))
        scores = self._activated(raw)
        scores = scores[:, self._first_label : self._first_label + self._n_labels]
        if factor is not None:
            scores = scores * factor[:, None]
        if self._output.several_classes:
            row, label = np.nonzero(scores >= self._output.least_score)
            return Chosen(candidates[row], scores[row, label], label)
        label = scores.argmax(axis=1)
        best = scores[np.arange(len(scores)), label]
        return self._over(Chosen(candidates, best, label))

    def _activated(self, raw: Float32Array) -> Float32Array:
        activation = self._output.class_activation
        if activation == "sigmoid":
            scores = sigmoid(raw)
        elif activation == "softmax":
            scores = softmax(raw)
        else:
            scores = as_share(raw)
        return _power(scores, self._output.class_power)

    def _over(self, chosen: Chosen) -> Chosen:
        kept = (chosen.scores >= self._output.least_score).nonzero()[0]
        if len(kept) == len(chosen.scores):
            return chosen
        return Chosen(chosen.candidates.take(kept), chosen.scores.take(kept), chosen.labels.take(kept))


def _factor(least_score: float, power: float, activation: str) -> Factor:
    return Factor(activation, power, _threshold(least_score, power, activation))


def _over_least(tensors: TensorReader, part: PartLayout, rule: Factor) -> tuple[Indices, Float32Array]:
    """Candidates whose factor alone leaves a score that is enough, and that factor of each."""
    raw = part.first_numbers(tensors.flat(part.tensor))
    if rule.activation == "none":
        refuse_no_score(part.tensor, raw)
    candidates = (raw >= rule.least).nonzero()[0]
    chosen = raw.take(candidates)
    shares = sigmoid(chosen) if rule.activation == "sigmoid" else as_share(chosen)
    return candidates, _power(shares, rule.power)


def _threshold(least_score: float, power: float, activation: str) -> np.float32:
    """The least that an output can be before its activation and power, if the score is to be enough."""
    share = min(least_score ** (1 / power) * _MARGIN, 1.0)
    if activation == "none":
        return np.float32(share)
    return np.float32(math.log(share / (1 - share)) if share > 0 else -math.inf)


def _power(scores: Array, power: float) -> Float32Array:
    if power == 1:
        return scores
    if power == 0.5:
        return np.sqrt(scores)
    raised: Float32Array = scores ** np.float32(power)
    return raised
