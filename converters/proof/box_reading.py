"""A detector's boxes, read in one way, and how right they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge_sdk.contract.values import Detections

from ..data.picture_set import PictureSet
from .average_precision import average_precision
from .box_counts import count_boxes, true_overlaps
from .weighing import Compared, Weighed

__all__ = ["Decoded", "ReadBoxes", "is_large_gain", "told_figures", "weigh_boxes"]

_LARGE_GAIN, _MORE = 0.25, 3
"""Of average precision, and of things found better: no chance, though too few for a test to say so."""


@dataclass(frozen=True)
class ReadBoxes:
    """Boxes of some pictures, read in one way.

    Attributes:
        found: A picture each.
        weighed: What is right at threshold, how much each thing overlaps, and mAP50-95, which tells
            boxes that are a little off from those that are not.
        map50: As the report has it.
    """

    found: list[Detections]
    weighed: Weighed
    map50: float


@dataclass(frozen=True)
class Decoded:
    """What some pictures show, as the spec reads it.

    Attributes:
        pictures: With their true boxes.
        read: What is found in them.
        doubts: What is likely wrong with the reading but not sure, for the report.
    """

    pictures: PictureSet
    read: ReadBoxes
    doubts: list[str]


def weigh_boxes(pictures: PictureSet, found: list[Detections], thresholds: Mapping[str, float]) -> ReadBoxes:
    """Hold what was found in some pictures against their true boxes."""
    precision = average_precision(pictures, found)
    weighed = Weighed(
        right=count_boxes(pictures, found, thresholds).was_found,
        scores=true_overlaps(pictures, found),
        figure=precision.map50_95,
    )
    return ReadBoxes(found, weighed, precision.map50)


def is_large_gain(spec: ReadBoxes, other: ReadBoxes, compared: Compared) -> bool:
    """Whether one way is better by so much that no test need say so."""
    better = other.weighed.scores > spec.weighed.scores
    worse = other.weighed.scores < spec.weighed.scores
    return compared.gain >= _LARGE_GAIN and int(better.sum()) - int(worse.sum()) >= _MORE


def told_figures(read: ReadBoxes) -> str:
    """For a message."""
    return f"mAP50 is {read.map50:.3f} (mAP50-95 {read.weighed.figure:.3f})"
