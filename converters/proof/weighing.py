"""Two ways to treat the same pictures, held against each other: which is right more often, beyond chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from edge_sdk.contract.values import Float32Array

from .resampled_precision import FloatArray

__all__ = [
    "LEAST_GAIN",
    "LIKELY",
    "SURE",
    "Compared",
    "DrawnPrecision",
    "Weighed",
    "compare",
    "discordant_p",
    "drawn_p",
    "is_promising",
    "precision_gains",
]

SURE, LIKELY = 0.005, 0.02
LEAST_GAIN = 0.05
"""Of accuracy or average precision. Less is nothing that a person would change a spec for."""
_MORE_ON_FEW = 3
_NORMAL = NormalDist()

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class DrawnPrecision:
    """Average precision, and how far chance in the choice of pictures may move it.

    Attributes:
        figures: By name, such as ``mAP50``.
        draw: The same of each set that is drawn from the pictures again; takes seconds. The same
            pictures are drawn for whatever was found in them.
    """

    figures: Mapping[str, float]
    draw: Callable[[], Mapping[str, FloatArray]]


@dataclass(frozen=True)
class Weighed:
    """How well some pictures were answered.

    Attributes:
        right: Whether each picture, or each true box, was answered right.
        scores: The score of what is true, of each of these.
        figure: Accuracy or average precision.
        reached: Of each of these, whether it was right and what is true reached its threshold; where
            None, as in ``right``.
        saturated: Whether all scores of each are 0 or 1 as nearly as makes no difference; None
            where nobody asks.
        precision: Of a detector.
    """

    right: BoolArray
    scores: Float32Array
    figure: float
    reached: BoolArray | None = None
    saturated: BoolArray | None = None
    precision: DrawnPrecision | None = None

    @property
    def counted(self) -> BoolArray:
        """What would be reported: right, and over its threshold."""
        return self.right if self.reached is None else self.reached


@dataclass(frozen=True)
class Compared:
    """An alternative held against the spec, on the same pictures.

    Attributes:
        gain: Of the figure.
        p_right: Chance of so many more right ones if neither were better, for all alternatives together.
        p_scores: Chance of so many higher scores of what is true, likewise.
    """

    gain: float
    p_right: float
    p_scores: float

    def is_sure(self, *, resize: bool) -> bool:
        """Whether the spec is wrong.

        A tighter cut of the picture can raise scores though the model was trained otherwise, so
        another way to resize must be right more often, too.
        """
        p = self.p_right if resize else min(self.p_right, self.p_scores)
        return self.gain >= LEAST_GAIN and p < SURE

    @property
    def is_likely(self) -> bool:
        """Whether a person should look at it; so wherever it is sure, too."""
        return self.gain >= LEAST_GAIN and (self.p_right < LIKELY or self.p_scores < LIKELY)


def compare(spec: Weighed, other: Weighed, tried: int) -> Compared:
    """Hold an alternative against the spec.

    Args:
        spec: As the spec says.
        other: The alternative, on the same pictures.
        tried: How many alternatives there were: the more, the likelier is one better by chance.
    """
    higher, lower = _higher(spec, other)
    p_right = discordant_p(int((other.right & ~spec.right).sum()), int((spec.right & ~other.right).sum()))
    return Compared(
        gain=other.figure - spec.figure,
        p_right=min(1.0, tried * p_right),
        p_scores=min(1.0, tried * discordant_p(higher, lower)),
    )


def discordant_p(better: int, worse: int) -> float:
    """One-sided exact p of the sign test (of McNemar's, for right and wrong): so many or more by chance.

    Args:
        better: Pairs in which the alternative is better.
        worse: Pairs in which the spec is.
    """
    n = better + worse
    ways, coefficient = 0, math.comb(n, better)
    for k in range(better, n + 1):
        ways += coefficient
        coefficient = coefficient * (n - k) // (k + 1)  # math.comb is slow where there are many pairs
    return float(ways / 2**n)


def drawn_p(gain: float, spec: FloatArray, other: FloatArray) -> float:
    """One-sided p of a gain, of which the paired bootstrap tells how much it varies (normal approximation).

    Args:
        gain: Of the alternative, on the pictures themselves.
        spec: The figure of each drawn set, as the spec says.
        other: As the alternative has it, of the same sets.
    """
    deviation = float(np.std(other - spec))
    return _NORMAL.cdf(-gain / deviation) if deviation else float(gain <= 0)


def is_promising(spec: Weighed, other: Weighed) -> bool:
    """Whether an alternative that was tried on few pictures is worth more of them."""
    higher, lower = _higher(spec, other)
    more = (
        int(other.right.sum()) - int(spec.right.sum()),
        int(other.counted.sum()) - int(spec.counted.sum()),
        higher - lower,
    )
    return max(more) >= _MORE_ON_FEW or any(
        gain >= LEAST_GAIN for gain in precision_gains(spec, other).values()
    )


def precision_gains(spec: Weighed, other: Weighed) -> dict[str, float]:
    """By how much each average precision is better, by its name; empty but for detectors."""
    if spec.precision is None or other.precision is None:
        return {}
    would = other.precision.figures
    return {name: would[name] - now for name, now in spec.precision.figures.items()}


def _higher(spec: Weighed, other: Weighed) -> tuple[int, int]:
    return int((other.scores > spec.scores).sum()), int((other.scores < spec.scores).sum())
