"""Golden samples of a detector: the boxes that are found, held against those that should be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.bundle import Bundle
from ..contract.manifest import Manifest, Variant
from ..contract.values import Detections, Float32Array, Pixels
from ..decode.box_matching import match_boxes
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
    bound, least_iou = variant.golden.bound, variant.golden.least_iou or 0.0
    worst, flips, lowest = _Worst(), list[Flip](), 1.0
    for sample, wanted in enumerate(split_rows(expected, len(pictures))):
        found = detector.detect(pictures[sample])
        pairs = match_boxes(wanted, found, least_iou)
        for left, right, overlap in pairs:
            difference = abs(float(wanted.scores[left]) - float(found.scores[right]))
            worst.take(difference, sample, int(wanted.labels[left]))
            lowest = min(lowest, overlap)
        flips += _flips(manifest, sample, wanted, found, {left: right for left, right, _ in pairs}, bound)
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
    )


def _flips(
    manifest: Manifest,
    sample: int,
    wanted: Detections,
    found: Detections,
    pairs: dict[int, int],
    bound: float,
) -> list[Flip]:
    """Boxes clearly over their threshold on one side that the other side has not."""
    thresholds = manifest.thresholds
    flips = []
    matched = set(pairs.values())
    missing = [(wanted, index, True) for index in range(len(wanted)) if index not in pairs]
    extra = [(found, index, False) for index in range(len(found)) if index not in matched]
    for boxes, index, was_expected in (*missing, *extra):
        label_id = manifest.label_ids[int(boxes.labels[index])]
        score = float(boxes.scores[index])
        threshold = thresholds.get(label_id)
        if threshold is not None and score >= threshold + bound:
            expected, have = (score, 0.0) if was_expected else (0.0, score)
            flips.append(Flip(sample, label_id, threshold, expected, have))
    return flips
