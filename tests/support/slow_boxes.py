"""Plain reference code for boxes: one loop a formula, in float64, nothing shared with the product."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from edge_sdk.contract.values import Array
from edge_sdk.decode.raw_detections import RawDetections

Corners = tuple[float, float, float, float]


class Found(NamedTuple):
    """One box with its score and label."""

    box: Corners
    score: float
    label: int


def slow_sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def slow_softmax(values: Iterable[float]) -> list[float]:
    listed = [float(value) for value in values]
    weights = [math.exp(value - max(listed)) for value in listed]
    return [weight / sum(weights) for weight in weights]


def centered(x: float, y: float, width: float, height: float) -> Corners:
    return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def slow_area(box: Sequence[float]) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def slow_iou(a: Sequence[float], b: Sequence[float]) -> float:
    inter = slow_area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    union = slow_area(a) + slow_area(b) - inter
    return inter / union if union > 0 else 0.0


def slow_nms(found: Iterable[Found], iou_threshold: float, *, by_class: bool = True) -> list[Found]:
    kept: list[Found] = []
    for candidate in sorted(found, key=lambda one: -one.score):
        rivals = [one for one in kept if one.label == candidate.label or not by_class]
        if all(slow_iou(one.box, candidate.box) <= iou_threshold for one in rivals):
            kept.append(candidate)
    return kept


def assert_same_boxes(actual: RawDetections, expected: Sequence[Found], pixels: float = 1e-3) -> None:
    """Equal in number, order of scores, labels, scores within 1e-5 and corners within so many pixels."""
    assert len(actual.scores) == len(expected)
    ours = sorted(zip(actual.labels.tolist(), actual.boxes.tolist(), actual.scores.tolist(), strict=True))
    theirs = sorted((one.label, list(one.box), one.score) for one in expected)
    for (label, box, score), (wanted_label, wanted_box, wanted_score) in zip(ours, theirs, strict=True):
        assert label == wanted_label
        np.testing.assert_allclose(box, wanted_box, rtol=0, atol=pixels)
        assert abs(score - wanted_score) < 1e-5
    assert (np.diff(actual.scores) <= 0).all()


def spread_logits(
    shape: Sequence[int], seed: int, *, boxes: int = 0, share: float = 0.02, low: float = -7.0
) -> Array:
    """Numbers of a picture with a few things in it.

    Args:
        shape: The last axis is that of the values.
        seed: Of the random numbers.
        boxes: So many values, the first, are those of a box: around 0.
        share: Of all places, where a thing is; there about half of the logits are high.
        low: What the other logits are around.
    """
    rng = np.random.default_rng(seed)
    numbers = rng.normal(0, 1, shape)
    numbers[..., boxes:] += low
    things = rng.random(shape[:-1])[..., None] < share
    numbers[..., boxes:] += 8 * (things & (rng.random(numbers[..., boxes:].shape) < 0.5))
    return numbers.astype(np.float32)
