"""Signs of wrongly scaled pixels that are there though every answer is right.

Which score is highest may survive pixels that are 255 times too small, as a model leaves them that scales
them itself: then all scores are nearly alike, and none reaches its threshold. Of pixels that are 255
times too large, a softmax or sigmoid makes nothing but 0 and 1.
"""

from __future__ import annotations

import numpy as np

from edge_sdk.contract.image import ImageInput

from .weighing import LIKELY, Weighed, discordant_p

__all__ = ["collapse", "collapse_p", "contrast", "saturation"]

_TIMES = 10.0
_HARDLY_ANY, _MOST, _NEARLY_ALL = 0.05, 0.5, 0.9


def contrast(image: ImageInput) -> float:
    """From black to white, as the model sees it."""
    return 255.0 / float(np.mean(image.std))


def collapse(spec: Weighed, other: Weighed, times: float) -> str | None:
    """Say how much more reaches its threshold where pixels are larger; None where that is no sign.

    Args:
        spec: As the spec says.
        other: On the same pictures, in a way that is right as often.
        times: How much larger the contrast is there.
    """
    now, would = int(spec.counted.sum()), int(other.counted.sum())
    n = len(spec.counted)
    if times < _TIMES or other.figure < spec.figure or now > _HARDLY_ANY * n or would < _MOST * n:
        return None
    return f"{would} instead of {now} of {n} reach their threshold"


def collapse_p(spec: Weighed, other: Weighed, tried: int) -> float:
    """Chance of so many more over their threshold, for all alternatives together."""
    better, worse = other.counted & ~spec.counted, spec.counted & ~other.counted
    return min(1.0, tried * discordant_p(int(better.sum()), int(worse.sum())))


def saturation(spec: Weighed, other: Weighed, times: float) -> str | None:
    """Say that nearly all scores are 0 or 1, and where pixels are smaller they are not; None where not.

    No proof: a model may be as sure of itself as that.

    Args:
        spec: As the spec says.
        other: On the same pictures, in a way that is right as often.
        times: How much larger the contrast is there.
    """
    if spec.saturated is None or other.saturated is None or times > 1 / _TIMES or other.figure < spec.figure:
        return None
    now, would, n = int(spec.saturated.sum()), int(other.saturated.sum()), len(spec.saturated)
    by_chance = discordant_p(int((spec.saturated & ~other.saturated).sum()), 0)
    if now < _NEARLY_ALL * n or would > _MOST * n or by_chance >= LIKELY:
        return None
    return f"the scores of {would} instead of {now} of {n} pictures are nothing but 0 and 1"
