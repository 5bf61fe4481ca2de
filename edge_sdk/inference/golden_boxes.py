"""Golden samples of a detector: the boxes that are found, held against those that should be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..contract.bundle import Bundle
from ..contract.golden import MOST_BOUND
from ..contract.manifest import Manifest, Variant
from ..contract.values import Detections, Float32Array, Pixels
from ..decode.box_matching import match_boxes
from ..decode.boxes import pairwise_iou
from ..decode.counting import counting_of
from ..errors import BundleError
from .backend import Backend
from .golden_result import Flip, GoldenResult
from .golden_ties import Ties, most_ties, without_suppression
from .image_detector import ImageDetector

__all__ = [
    "GOLDEN_COLUMNS",
    "LOWEST_IOU",
    "PairedBoxes",
    "golden_rows",
    "pair_golden",
    "run_golden_boxes",
    "split_rows",
]

LOWEST_IOU = 0.3
"""Boxes that overlap less are hardly in the same place."""

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
    paired = [
        pair_golden(wanted, detector.detect(picture), limits, least_iou)
        for wanted, picture in zip(split_rows(expected, len(pictures)), pictures, strict=True)
    ]
    before = _BeforeSuppression(manifest, variant, backend, limits, bound, least_iou)
    paired, n_tied = _without_ties(paired, pictures, before, limits)
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


@dataclass(frozen=True)
class PairedBoxes:
    """Boxes of one picture that count, or whose partner does.

    Attributes:
        wanted: All that were expected.
        found: All that were found.
        pairs: Index in ``wanted``, index in ``found``, and their intersection over union.
        missing: Indices of expected boxes at threshold without a partner.
        extra: Indices of found ones.
    """

    wanted: Detections
    found: Detections
    pairs: list[tuple[int, int, float]]
    missing: list[int]
    extra: list[int]

    def difference(self, pair: tuple[int, int, float]) -> float:
        """By how much the scores of a pair differ."""
        return abs(float(self.wanted.scores[pair[0]]) - float(self.found.scores[pair[1]]))

    def overlap(self, index: int) -> float:
        """The largest that an expected box has with any of its label that was found."""
        same = self.found.labels == self.wanted.labels[index]
        overlaps = pairwise_iou(self.wanted.boxes[index : index + 1], self.found.boxes[same])
        return float(overlaps.max(initial=0.0))

    def moved(self, index: int, bound: float) -> bool:
        """Whether nothing is where a box was expected, and one of its label and score is elsewhere."""
        return self.overlap(index) < LOWEST_IOU and any(
            self.found.labels[other] == self.wanted.labels[index]
            and abs(float(self.found.scores[other]) - float(self.wanted.scores[index])) <= bound
            for other in self.extra
        )


def pair_golden(
    wanted: Detections, found: Detections, limits: npt.NDArray[np.float64], least_iou: float
) -> PairedBoxes:
    """Pair the boxes that count; of which other ones are left by suppression, rounding decides.

    Args:
        wanted: What was expected in a picture.
        found: What was found.
        limits: What a score must reach to count, by label.
        least_iou: Pairs that overlap less are none.
    """
    near = [np.flatnonzero(one.scores >= limits[one.labels] - MOST_BOUND) for one in (wanted, found)]
    counts = [one.scores >= limits[one.labels] for one in (wanted, found)]
    kept = [
        Detections(one.boxes[rows], one.scores[rows], one.labels[rows])
        for one, rows in zip((wanted, found), near, strict=True)
    ]
    pairs = [
        (int(near[0][left]), int(near[1][right]), overlap)
        for left, right, overlap in match_boxes(kept[0], kept[1], least_iou)
    ]
    used = {left for left, _, _ in pairs}, {right for _, right, _ in pairs}
    missing, extra = (
        [int(index) for index in np.flatnonzero(own) if int(index) not in taken]
        for own, taken in zip(counts, used, strict=True)
    )
    pairs = [pair for pair in pairs if counts[0][pair[0]] or counts[1][pair[1]]]
    return PairedBoxes(wanted, found, pairs, missing, extra)


class _BeforeSuppression:
    """Looks at what was found before suppression, in pictures where that may be what made a difference."""

    def __init__(
        self,
        manifest: Manifest,
        variant: Variant,
        backend: Backend,
        limits: npt.NDArray[np.float64],
        bound: float,
        least_iou: float,
    ) -> None:
        self._limits, self._bound, self._least_iou = limits, bound, least_iou
        self._output = manifest.detections
        output = without_suppression(manifest.detections, float(limits.min()) - bound)
        self._detector = (
            None
            if output is None
            else ImageDetector(manifest.image, output, manifest.label_ids, backend, variant.tensors)
        )

    def without_ties(self, paired: PairedBoxes, picture: Pixels) -> PairedBoxes:
        """The same, but for expected boxes and found ones that rounding made change places."""
        flipped = flipped_boxes(paired, self._limits, self._bound)
        if self._detector is None or not any(flipped):
            return paired
        before = self._detector.detect(picture)
        ties = Ties(self._output, before, paired.found, paired.wanted, self._bound, self._least_iou)
        tied = [
            pair
            for pair in ties.pairs(paired.missing, paired.extra)
            if pair[0] in flipped[0] or pair[1] in flipped[1]
        ]
        lost, won = {pair[0] for pair in tied}, {pair[1] for pair in tied}
        return replace(
            paired,
            missing=[index for index in paired.missing if index not in lost],
            extra=[index for index in paired.extra if index not in won],
        )


def _without_ties(
    paired: list[PairedBoxes],
    pictures: list[Pixels],
    before: _BeforeSuppression,
    limits: npt.NDArray[np.float64],
) -> tuple[list[PairedBoxes], int]:
    """All pictures without what changed places, and how many boxes did; as they were, where too many did."""
    eased = [before.without_ties(one, picture) for one, picture in zip(paired, pictures, strict=True)]
    n_tied = sum(len(one.missing) for one in paired) - sum(len(one.missing) for one in eased)
    n_expected = sum(int(np.sum(one.wanted.scores >= limits[one.wanted.labels])) for one in paired)
    return (paired, 0) if n_tied > most_ties(n_expected) else (eased, n_tied)


def flipped_boxes(
    paired: PairedBoxes, limits: npt.NDArray[np.float64], bound: float
) -> tuple[list[int], list[int]]:
    """Boxes over their threshold on one side that the other side has not: expected ones, and found ones.

    One that is no further over it than the bound may come and go; but it may not be somewhere else.
    """
    wanted, found = paired.wanted, paired.found
    missing = [
        index
        for index in paired.missing
        if wanted.scores[index] >= limits[wanted.labels[index]] + bound or paired.moved(index, bound)
    ]
    return missing, [
        index for index in paired.extra if found.scores[index] >= limits[found.labels[index]] + bound
    ]


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
