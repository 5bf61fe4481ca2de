"""Intervals of 95 %: what few samples can and cannot say.

Exact, which errs towards too wide, for shares (Clopper & Pearson, Biometrika 26, 1934) and counts in
time (Garwood, Biometrika 28, 1936). Approximate for the area under the ROC curve (Newcombe,
Statistics in Medicine 25, 2006, 559-573, method 5): it supposes a shape of both distributions, and
unlike DeLong's does not shrink to a point where two small samples happen to be separated perfectly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import MissingExtraError

__all__ = ["CONFIDENCE", "Interval", "auc_interval", "rate_upper_bound", "share_interval"]

CONFIDENCE = 0.95

_Z = 1.959963984540054  # two-sided 95 % quantile of the normal distribution
_BISECTIONS = 60  # halves 1 to below 1e-18


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided 95 % interval."""

    low: float
    high: float


def share_interval(hits: int, n: int) -> Interval:
    """The exact (Clopper-Pearson) interval of a share.

    Args:
        hits: How often it was so, 0..n.
        n: Out of how many independent trials; 0 gives 0..1.
    """
    beta_quantile = _special("betaincinv")
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if hits == 0 else float(beta_quantile(hits, n - hits + 1, tail))
    high = 1.0 if hits == n else float(beta_quantile(hits + 1, n - hits, 1 - tail))
    return Interval(low, high)


def rate_upper_bound(events: int, hours: float) -> float:
    """The exact one-sided upper 95 % bound of a rate, per hour.

    No event in 30 hours gives 0.0999, that is at most 2.4 a day.

    Args:
        events: How many were counted.
        hours: In how much time, above 0; 0 gives infinity.
    """
    if hours <= 0:
        return math.inf
    return float(_special("gammaincinv")(events + 1, CONFIDENCE)) / hours


def auc_interval(auc: float, positives: int, negatives: int) -> Interval:
    """The approximate interval of an area under the ROC curve (Newcombe's method 5, a score interval).

    With few samples it may hold the true area less often, or more often, than 95 % of the time.

    Args:
        auc: The point estimate, 0..1.
        positives: Samples with the label, at least 1.
        negatives: Samples without it, at least 1.
    """
    return Interval(
        low=_solve(auc, positives, negatives, 0.0, auc),
        high=_solve(auc, positives, negatives, 1.0, auc),
    )


def _solve(auc: float, positives: int, negatives: int, outside: float, inside: float) -> float:
    """The area between ``outside`` and ``inside`` that is just compatible with the estimate."""
    for _ in range(_BISECTIONS):
        middle = (outside + inside) / 2
        if abs(auc - middle) > _Z * _auc_deviation(middle, positives, negatives):
            outside = middle
        else:
            inside = middle
    return (outside + inside) / 2


def _auc_deviation(area: float, positives: int, negatives: int) -> float:
    """Hanley and McNeil's standard deviation, with both sample sizes set to their mean."""
    mean = (positives + negatives) / 2
    spread = 1 + (mean - 1) * ((1 - area) / (2 - area) + area / (1 + area))
    return math.sqrt(max(0.0, area * (1 - area) * spread / (positives * negatives)))


def _special(name: str) -> Callable[..., Any]:
    """A function of ``scipy.special``, whose import is several times lighter than ``scipy.stats``."""
    try:
        from scipy import special
    except ImportError as error:
        raise MissingExtraError("scipy", "convert") from error
    function: Callable[..., Any] = getattr(special, name)
    return function
