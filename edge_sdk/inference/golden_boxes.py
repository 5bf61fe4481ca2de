"""Golden samples of a detector: the boxes that are found, held against those that should be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..contract.bundle import Bundle
from ..contract.golden import MOST_BOUND
from ..contract.manifest import Variant
from ..contract.values import Detections, Float32Array, Pixels
from ..decode.counting import counting_of
from ..errors import BundleError
from .backend import Backend
from .golden_box_pairs import PairedBoxes, flipped_boxes, pair_golden
from .golden_result import Flip, GoldenResult
from .golden_ties import TieRule, without_suppression
from .image_detector import ImageDetector

__all__ = [
    "GOLDEN_COLUMNS",
    "golden_rows",
    "run_golden_boxes",
    "split_rows",
]

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
    limits = np.array([counting.threshold(label_id) for label_id in manifest.label_ids])
    wanted = split_rows(expected, len(pictures))
    found = (detector.detect(picture) for picture in pictures)
    paired = [pair_golden(*both, limits, least_iou) for both in zip(wanted, found, strict=True)]
    rule = TieRule(manifest.detections, limits, bound, least_iou)
    before = without_suppression(manifest.detections, float(limits.min()) - bound)
    n_tied = 0
    if before is not None:
        looking = ImageDetector(manifest.image, before, manifest.label_ids, backend, variant.tensors)
        paired, n_tied = rule.excuse(paired, lambda sample: looking.detect(pictures[sample]))
    worst, flips, lowest = _Worst(), list[Flip](), 1.0
    for sample, one in enumerate(paired):
        for pair in one.pairs:
            worst.take(one.difference(pair), sample, int(one.wanted.labels[pair[0]]))
            lowest = min(lowest, pair[2])
        flips += _flips(limits, manifest.label_ids, sample, one, bound)
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
        n_tied=n_tied,
    )


def _flips(
    limits: npt.NDArray[np.float64],
    label_ids: tuple[str, ...],
    sample: int,
    paired: PairedBoxes,
    bound: float,
) -> list[Flip]:
    missing, extra = flipped_boxes(paired, limits, bound)
    flips = []
    for index in missing:
        label, score = int(paired.wanted.labels[index]), float(paired.wanted.scores[index])
        overlap = paired.overlap(index)
        flips.append(Flip(sample, label_ids[label], float(limits[label]), score, 0.0, best_iou=overlap))
    for index in extra:
        label, score = int(paired.found.labels[index]), float(paired.found.scores[index])
        flips.append(Flip(sample, label_ids[label], float(limits[label]), 0.0, score))
    return flips
