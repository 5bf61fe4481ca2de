"""What a decoder gives: boxes in the model's own picture, before they are mapped back to the camera's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..contract.values import Float32Array

__all__ = ["Indices", "RawDetections", "best_first", "joined", "keeping_left_out", "without_empty_boxes"]

Indices = npt.NDArray[np.intp]

_MANY = 256


_left_out: ContextVar[list[RawDetections] | None] = ContextVar("_left_out", default=None)


class RawDetections(NamedTuple):
    """Boxes in pixels of the model's input.

    Attributes:
        boxes: float32, shape ``[n, 4]``: ``x1, y1, x2, y2``; they may reach beyond the input.
        scores: float32, shape ``[n]``, 0..1.
        labels: int64, shape ``[n]``: which of the manifest's labels, from 0.
    """

    boxes: Float32Array
    scores: Float32Array
    labels: npt.NDArray[np.int64]

    def take(self, chosen: Indices) -> RawDetections:
        """Some of them, in that order."""
        return RawDetections(
            self.boxes.take(chosen, axis=0), self.scores.take(chosen), self.labels.take(chosen)
        )


def joined(parts: Sequence[RawDetections]) -> RawDetections:
    """All of them, one after the other; at least one part."""
    if len(parts) == 1:
        return parts[0]
    boxes, scores, labels = zip(*parts, strict=True)
    return RawDetections(np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels))


def best_first(scores: Float32Array, most: int | None = None) -> Indices:
    """The order from the highest score down; of equals the first comes first. At most ``most``."""
    falling = -scores
    if len(falling) > _MANY:  # the other sort is twice as fast, and as good where no two are equal
        quick: Indices = np.argsort(falling)
        ranked = falling.take(quick)
        if not np.count_nonzero(ranked[1:] == ranked[:-1]):
            return quick[:most]
    order: Indices = np.argsort(falling, kind="stable")
    return order[:most]


def without_empty_boxes(found: RawDetections) -> RawDetections:
    """Leave out boxes without area: nothing can be seen in them, and nothing can overlap them."""
    solid = found.boxes[:, 2:] > found.boxes[:, :2]
    if np.count_nonzero(solid) == solid.size:
        return found
    kept = solid.all(axis=1)
    left_out = _left_out.get()
    if left_out is not None:
        left_out.append(found.take(np.flatnonzero(~kept)))
    return found.take(np.flatnonzero(kept))


@contextlib.contextmanager
def keeping_left_out() -> Iterator[list[RawDetections]]:
    """What :func:`without_empty_boxes` leaves out within: many of them speak of a mistake."""
    left_out: list[RawDetections] = []
    token = _left_out.set(left_out)
    try:
        yield left_out
    finally:
        _left_out.reset(token)
