"""How far average precision may be off: bootstrap over pictures.

As many pictures as there are are drawn with replacement, again and again, and the figure is computed
anew: Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979. The
interval is his bias-corrected percentile one ("Nonparametric standard errors and confidence intervals",
Canadian Journal of Statistics 9, 1981), as drawn sets, in which pictures repeat, tend to look better.
Pictures are drawn and not boxes, because what is in one picture is found or missed together.

The same pictures are drawn for every model, so that figures of two models can be subtracted draw by
draw, and each time: the same answers give the same interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from edge_sdk.metrics.intervals import CONFIDENCE, Interval

__all__ = ["DRAWS", "LabelOutcomes", "Resampled", "bootstrap_interval", "lower_end", "resample"]

DRAWS = 1000
"""Enough that another seed moves the ends of an interval by a few hundredths of its width."""

_SEED = 20
_CHUNK = 50
"""Draws that are computed at a time: of 100,000 boxes 50 draws take 40 MB."""
_RECALLS = np.linspace(0.0, 1.0, 101)
_TAIL = (1 - CONFIDENCE) / 2
_NORMAL = NormalDist()

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class LabelOutcomes:
    """What matching decided about one label, where half an overlap is enough.

    Attributes:
        picture: Index of the picture of each box, the best scored first; boxes that are passed over
            are left out.
        right: Whether each is of a true box.
        true_boxes: How many there are in each picture, shape ``[pictures]``.
    """

    picture: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]
    true_boxes: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Resampled:
    """Average precision in each of the drawn sets.

    Attributes:
        by_label: float64 ``[draws]``; NaN where a drawn set has no true box of the label.
    """

    by_label: Mapping[str, FloatArray]

    def mean(self) -> FloatArray:
        """The mean over labels with a true box, of each drawn set; those without any are left out."""
        if not self.by_label:
            return np.zeros(0)
        figures = np.stack([*self.by_label.values()])
        known = ~np.isnan(figures)
        n = known.sum(axis=0)
        means: FloatArray = np.where(known, figures, 0).sum(axis=0)[n > 0] / n[n > 0]
        return means


def resample(outcomes: Mapping[str, LabelOutcomes]) -> Resampled:
    """Compute the average precision of each label in :data:`DRAWS` drawn sets.

    Args:
        outcomes: By label; of the same pictures. Labels without a true box are left out.
    """
    known = {label_id: item for label_id, item in outcomes.items() if item.true_boxes.any()}
    if not known:
        return Resampled({})
    n = len(next(iter(known.values())).true_boxes)
    parts: dict[str, list[FloatArray]] = {label_id: [] for label_id in known}
    for times in _drawn(n):
        for label_id, item in known.items():
            parts[label_id].append(_average_precision(item, times))
    return Resampled({label_id: np.concatenate(part) for label_id, part in parts.items()})


def bootstrap_interval(figure: float, drawn: FloatArray) -> Interval | None:
    """The 95 % interval of a figure.

    None where all drawn sets give the same: then nothing in these pictures tells what others may give.

    Args:
        figure: Of the pictures themselves.
        drawn: Of each drawn set.
    """
    if not len(drawn) or float(drawn.min()) == float(drawn.max()):
        return None
    below = (float((drawn < figure).sum()) + float((drawn == figure).sum()) / 2) / len(drawn)
    bias = _NORMAL.inv_cdf(min(max(below, 1 / len(drawn)), 1 - 1 / len(drawn)))
    ends = [_NORMAL.cdf(2 * bias + _NORMAL.inv_cdf(tail)) for tail in (_TAIL, 1 - _TAIL)]
    low, high = np.quantile(drawn, ends)
    return Interval(min(figure, float(low)), max(figure, float(high)))


def lower_end(drawn: FloatArray) -> float:
    """What is exceeded in 97.5 % of drawn sets, of those in which the figure is known."""
    return float(np.nanquantile(drawn, _TAIL))


def _drawn(n: int) -> Iterator[FloatArray]:
    """How often each of n pictures was drawn, ``[draws, n]``, some draws at a time.

    Raw bits of PCG64 are the same in every release of NumPy, which promises that of no distribution.
    """
    bits = np.random.PCG64(_SEED)
    for start in range(0, DRAWS, _CHUNK):
        rows = [
            np.bincount((bits.random_raw(n) % n).astype(np.int64), minlength=n)
            for _ in range(min(_CHUNK, DRAWS - start))
        ]
        yield np.array(rows, dtype=np.float64)


def _average_precision(outcomes: LabelOutcomes, times: FloatArray) -> FloatArray:
    """COCO's average precision at 101 recalls, where each picture counts so many times.

    A box that counts k times is k boxes of one score, next to each other: as precision rises along those
    that are right, and the best precision at this recall or beyond counts, the last of them tells all.

    Args:
        outcomes: Of one label.
        times: Shape ``[draws, pictures]``.

    Returns:
        Shape ``[draws]``; NaN where no true box was drawn.
    """
    true_boxes = times @ outcomes.true_boxes
    weights = times[:, outcomes.picture]
    columns = np.flatnonzero(outcomes.right)
    given = np.cumsum(weights, axis=1)[:, columns]
    right = np.cumsum(weights[:, columns], axis=1)
    precision = right / np.maximum(given, 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = np.concatenate([best, np.zeros((len(times), 1))], axis=1)
    figures = np.full(len(times), np.nan)
    for draw in np.flatnonzero(true_boxes):
        recall = right[draw] / true_boxes[draw]
        figures[draw] = reached[draw][np.searchsorted(recall, _RECALLS, side="left")].mean()
    return figures
