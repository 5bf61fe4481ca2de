"""Figures of a detector on the evaluation set, and whether a variant may go into the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge_sdk.contract.manifest import Metric
from edge_sdk.contract.values import Detections
from edge_sdk.decode.box_matching import match_boxes
from edge_sdk.decode.boxes import pairwise_iou

from ..data.picture_set import PictureSet
from ..report.report_file import BoxLabelReport, Moved, share_report
from .average_precision import AveragePrecision, average_precision
from .box_counts import LEAST_IOU, at_threshold, count_boxes
from .resampled_precision import bootstrap_interval, lower_end, resample
from .verdict import MOST_NAMED, ROUNDING, Judged, Verdict

__all__ = ["FEWEST_BOXES", "BoxJudge", "box_figures"]

FEWEST_BOXES = 10
"""From so many true boxes on a label is judged. Fewer are too few to be resampled."""


def box_figures(pictures: PictureSet, found: Sequence[Detections], thresholds: Mapping[str, float]) -> Judged:
    """Average precision, and what is found and right at threshold for each label that is there or seen.

    Args:
        pictures: With their true boxes.
        found: What was found in each, in the same order.
        thresholds: By label id.
    """
    precision = average_precision(pictures, found)
    drawn = resample(precision.outcomes)
    between = bootstrap_interval(precision.map50, drawn.mean())
    n = len(pictures.samples)
    return Judged(
        metric=Metric(
            name="map50",
            value=precision.map50,
            n=n,
            low=None if between is None else between.low,
            high=None if between is None else between.high,
        ),
        labels=_label_reports(pictures, found, thresholds, precision),
        more=[Metric(name="map50_95", value=precision.map50_95, n=n)],
        drawn=drawn.by_label,
    )


def _label_reports(
    pictures: PictureSet,
    found: Sequence[Detections],
    thresholds: Mapping[str, float],
    precision: AveragePrecision,
) -> list[BoxLabelReport]:
    counts = count_boxes(pictures, found, thresholds)
    reports = []
    for label, label_id in enumerate(pictures.label_ids):
        recall, own = counts.recall(label), counts.precision(label)
        if not recall.n and own.hits == own.n:
            continue  # neither there nor seen
        ap50, ap50_95 = precision.by_label.get(label_id, (None, None))
        reports.append(
            BoxLabelReport(
                label=label_id,
                threshold=thresholds.get(label_id, 0.5),
                recall=share_report(recall),
                precision=share_report(own),
                missed=recall.n - recall.hits,
                false=own.n - own.hits,
                ap50=ap50,
                ap50_95=ap50_95,
            )
        )
    return reports


@dataclass
class _Comparison:
    """One picture as two models see it, at threshold."""

    partners: int = 0
    boxes: int = 0
    largest: float = 0.0
    moved: Moved | None = None

    def rank(self) -> tuple[int, float]:
        """Pictures in which most boxes have no partner come first."""
        return self.boxes - self.partners, self.largest


class BoxJudge:
    """Compares detectors on one evaluation set.

    Args:
        thresholds: What a box must reach, by label id.
        pictures: The evaluation set.
        max_drop: How much the metric may lose, overall and, beyond chance, for any label.
    """

    def __init__(self, thresholds: Mapping[str, float], pictures: PictureSet, max_drop: float) -> None:
        self._thresholds = thresholds
        self._pictures = pictures
        self._max_drop = max_drop

    def figures(self, found: Sequence[Detections]) -> Judged:
        """See :func:`box_figures`."""
        return box_figures(self._pictures, found, self._thresholds)

    def judge(
        self, source: Sequence[Detections], variant: Sequence[Detections], before: Judged, after: Judged
    ) -> Verdict:
        """Hold a variant against the float source.

        Args:
            source: What the float source found, a picture each.
            variant: What the variant found.
            before: Figures of the float source.
            after: Figures of the variant.
        """
        compared = [
            self._compare(picture.name, one, other)
            for picture, one, other in zip(self._pictures.samples, source, variant, strict=True)
        ]
        boxes = sum(item.boxes for item in compared)
        partners = sum(item.partners for item in compared)
        worst = sorted(compared, key=_Comparison.rank, reverse=True)[:MOST_NAMED]
        furthest = [item.moved for item in worst if item.moved is not None]
        drop = before.metric.value - after.metric.value
        drops = _label_drops(before, after)
        label = max(drops, key=lambda label_id: drops[label_id], default=None)
        refusal = self._refusal(drop, before, after)
        names = ", ".join(moved.sample for moved in furthest[:3])
        return Verdict(
            refusal=f"{refusal}; furthest off: {names}" if refusal else "",
            drop=drop,
            agreement=partners / boxes if boxes else 1.0,
            max_abs_difference=max((item.largest for item in compared), default=0.0),
            worst_label=label,
            worst_label_drop=None if label is None else drops[label],
            furthest=furthest,
        )

    def _refusal(self, drop: float, before: Judged, after: Judged) -> str:
        limit = self._max_drop + ROUNDING
        if drop > limit:
            return f"the metric drops by {drop:.4f}, more than {self._max_drop:g}"
        drops = _label_drops(before, after)
        judged = [item.label for item in _boxed(before) if item.recall.n >= FEWEST_BOXES]
        sure = {label_id: lower_end(before.drawn[label_id] - after.drawn[label_id]) for label_id in judged}
        refused = [label_id for label_id in judged if drops[label_id] > limit and sure[label_id] > limit]
        if not refused:
            return ""
        worst = max(refused, key=lambda label_id: drops[label_id])
        surely = f"by {sure[worst]:.4f} or more in all but few resampled sets"
        return f"'{worst}' drops by {drops[worst]:.4f}, {surely}: more than {self._max_drop:g}"

    def _compare(self, name: str, one: Detections, other: Detections) -> _Comparison:
        """Boxes at threshold of either model, and whether the other has them at threshold too."""
        thresholds, label_ids = self._thresholds, self._pictures.label_ids
        first = at_threshold(one, thresholds, label_ids)
        second = at_threshold(other, thresholds, label_ids)
        pairs = match_boxes(first, second, LEAST_IOU)
        kept, also = {left for left, _, _ in pairs}, {right for _, right, _ in pairs}
        scores = [
            (int(first.labels[left]), float(first.scores[left]), float(second.scores[right]))
            for left, right, _ in pairs
        ]
        lost = [index for index in range(len(first)) if index not in kept]
        new = [index for index in range(len(second)) if index not in also]
        scores += [
            (int(first.labels[index]), float(first.scores[index]), _best_over(other, first, index))
            for index in lost
        ]
        scores += [
            (int(second.labels[index]), _best_over(one, second, index), float(second.scores[index]))
            for index in new
        ]
        # A box that the other has nowhere is no difference of a score: agreement tells of it.
        largest = max((abs(a - b) for _, a, b in scores if a and b), default=0.0)
        moved = max(scores, key=lambda item: abs(item[1] - item[2]), default=None)
        result = _Comparison(2 * len(pairs), len(first) + len(second), largest)
        if moved is not None:
            label_id = label_ids[moved[0]]
            result.moved = _moved(name, label_id, moved[1:], thresholds.get(label_id, 0.5))
        return result


def _best_over(boxes: Detections, other: Detections, index: int) -> float:
    """The best score of a box of the same label that lies over one of another model; 0 without any."""
    overlaps = pairwise_iou(boxes.boxes, other.boxes[index : index + 1])[:, 0] >= LEAST_IOU
    return float(boxes.scores[overlaps & (boxes.labels == other.labels[index])].max(initial=0.0))


def _moved(name: str, label_id: str, scores: tuple[float, float], threshold: float) -> Moved:
    return Moved(
        sample=name,
        label=label_id,
        source_score=scores[0],
        score=scores[1],
        threshold=threshold,
        flipped=(scores[0] >= threshold) != (scores[1] >= threshold),
    )


def _label_drops(before: Judged, after: Judged) -> dict[str, float]:
    """By how much the average precision of each label with a true box fell."""
    now = {item.label: item.ap50 for item in _boxed(after)}
    return {
        item.label: item.ap50 - other
        for item in _boxed(before)
        if item.ap50 is not None and (other := now[item.label]) is not None
    }


def _boxed(judged: Judged) -> list[BoxLabelReport]:
    return [item for item in judged.labels if isinstance(item, BoxLabelReport)]
