"""Golden samples of a detector: the boxes that are found, held against those that should be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.bundle import Bundle
from ..contract.golden import MOST_BOUND
from ..contract.manifest import Variant
from ..contract.values import Detections, Float32Array, Pixels
from ..decode.box_matching import match_boxes
from ..decode.boxes import pairwise_iou
from ..decode.counting import Counting, counting_of
from ..errors import BundleError
from .backend import Backend
from .golden_result import Flip, GoldenResult
from .image_detector import ImageDetector

__all__ = ["GOLDEN_COLUMNS", "golden_rows", "run_golden_boxes", "split_rows"]

GOLDEN_COLUMNS = 7
"""Sample, label, score, x1, y1, x2, y2."""


@dataclass
class _Worst:
    """The largest difference so far."""

    difference: float = 0.0
    sample: int = 0
    label: int = 0

    def take(self, difference: float, sample: int, label: int) -> None:
        if difference > self.difference:
            self.difference, self.sample, self.label = difference, sample, label


def golden_rows(samples: list[Detections]) -> Float32Array:
    """Detections of several pictures as one array, float32 ``[boxes, 7]``."""
    rows = [
        np.column_stack([np.full(len(found), index), found.labels, found.scores, found.boxes])
        for index, found in enumerate(samples)
        if len(found)
    ]
    joined = np.concatenate(rows) if rows else np.zeros((0, GOLDEN_COLUMNS))
    return joined.astype(np.float32)


def split_rows(rows: Float32Array, n_samples: int) -> list[Detections]:
    """The detections of each picture; rows as :func:`golden_rows` makes them."""
    samples = rows[:, 0].astype(np.int64)
    return [
        Detections(own[:, 3:7], own[:, 2], own[:, 1].astype(np.int64))
        for own in (rows[samples == index] for index in range(n_samples))
    ]


def _require_rows(rows: Float32Array, n_samples: int, n_labels: int) -> None:
    for column, n, what in ((0, n_samples, "pictures"), (1, n_labels, "labels")):
        numbers = rows[:, column]
        wrong = (numbers != np.rint(numbers)) | (numbers < 0) | (numbers >= n)
        if wrong.any():
            raise BundleError(
                f"golden boxes are of {n} {what}, counted from 0, but one is of {numbers[wrong][0]:g}"
            )


def run_golden_boxes(
    bundle: Bundle, variant: Variant, backend: Backend, pictures: list[Pixels], expected: Float32Array
) -> GoldenResult:
    """Find boxes in the golden pictures. See :func:`edge_sdk.inference.golden.run_golden`.

    Raises:
        BundleError: An expected row is of no picture, or of no label.
    """
    manifest = bundle.manifest
    _require_rows(expected, len(pictures), len(manifest.labels))
    detector = ImageDetector(
        manifest.image, manifest.detections, manifest.label_ids, backend, variant.tensors
    )
    bound, least_iou = min(variant.golden.bound, MOST_BOUND), variant.golden.least_iou or 0.0
    counting = counting_of(manifest)
    worst, flips, lowest = _Worst(), list[Flip](), 1.0
    for sample, wanted in enumerate(split_rows(expected, len(pictures))):
        found = detector.detect(pictures[sample])
        pairs = match_boxes(wanted, found, least_iou)
        for left, right, overlap in pairs:
            difference = abs(float(wanted.scores[left]) - float(found.scores[right]))
            worst.take(difference, sample, int(wanted.labels[left]))
            lowest = min(lowest, overlap)
        unpaired = _Unpaired(
            wanted,
            found,
            sorted(set(range(len(wanted))) - {left for left, _, _ in pairs}),
            sorted(set(range(len(found))) - {right for _, right, _ in pairs}),
        )
        flips += _flips(counting, manifest.label_ids, sample, unpaired, bound)
    return GoldenResult(
        variant=variant.name,
        passed=worst.difference <= bound and not flips,
        n=len(pictures),
        max_abs_difference=worst.difference,
        bound=bound,
        worst_sample=worst.sample,
        worst_label_id=manifest.label_ids[worst.label],
        tensor=", ".join(spec.name for spec in backend.outputs),
        flipped=tuple(flips),
        lowest_iou=lowest,
        least_iou=least_iou,
    )


@dataclass(frozen=True)
class _Unpaired:
    """Boxes of one picture that have no partner on the other side.

    Attributes:
        missing: Indices of those that were expected.
        extra: Indices of those that were found.
    """

    wanted: Detections
    found: Detections
    missing: list[int]
    extra: list[int]

    def overlap(self, index: int) -> float:
        """The largest that an expected box has with one of its label that was found, paired or not."""
        same = self.found.labels == self.wanted.labels[index]
        overlaps = pairwise_iou(self.wanted.boxes[index : index + 1], self.found.boxes[same])
        return float(overlaps.max(initial=0.0))

    def moved(self, index: int, bound: float) -> bool:
        """Whether there is a box of an expected one's label and score elsewhere."""
        return any(
            self.found.labels[other] == self.wanted.labels[index]
            and abs(float(self.found.scores[other]) - float(self.wanted.scores[index])) <= bound
            for other in self.extra
        )


def _flips(
    counting: Counting, label_ids: tuple[str, ...], sample: int, unpaired: _Unpaired, bound: float
) -> list[Flip]:
    """Boxes over their threshold on one side that the other side has not.

    One that is no further over it than the bound may come and go; but it may not be somewhere else.
    """
    flips = []
    wanted, found = unpaired.wanted, unpaired.found
    for index in unpaired.missing:
        label_id, score = label_ids[int(wanted.labels[index])], float(wanted.scores[index])
        threshold = counting.threshold(label_id)
        if score >= threshold + bound or (score >= threshold and unpaired.moved(index, bound)):
            flips.append(Flip(sample, label_id, threshold, score, 0.0, best_iou=unpaired.overlap(index)))
    for index in unpaired.extra:
        label_id, score = label_ids[int(found.labels[index])], float(found.scores[index])
        threshold = counting.threshold(label_id)
        if score >= threshold + bound:
            flips.append(Flip(sample, label_id, threshold, 0.0, score))
    return flips
