"""A bundle that looks at pictures, on labelled pictures: by class, or with boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from edge_sdk.console.foreign_text import valid_text
from edge_sdk.console.progress import Progress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Metric, Variant
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.image_classifier import ImageClassifier
from edge_sdk.inference.image_detector import ImageDetector

from ..data.nouns import PICTURES
from ..data.pictures import read_boxes, read_pictures
from ..proof.box_judge import box_figures
from ..proof.class_figures import ClassFigures
from ..proof.evidence import boxes_without_area, repeated_samples, uncounted_background
from ..proof.picture_run import ask_all
from ..proof.picture_summary import picture_summary
from ..proof.scoring import Scores
from ..report.confusion import ConfusionMatrix
from ..report.report_file import BoxLabelReport, LabelReport, ShareReport, share_report

__all__ = ["BoxEvaluation", "PictureEvaluation", "evaluate_boxes", "evaluate_pictures"]


class PictureEvaluation(Struct, frozen=True, kw_only=True):
    """What pictures by class say about a bundle.

    Attributes:
        exact: Pictures that are right in every label that the set has; where it is background
            alone, in every label that alerts. Of labels that exclude each other, out of the pictures
            that have one.
        top5: Of the pictures of a label, those whose label is among the five highest; null where
            labels do not exclude each other, or there are no more than five.
        labels: Figures for each of those labels.
        confusion: Which label is taken for which; null where they do not exclude each other.
    """

    bundle: str
    sha256: str
    variant: str
    pictures: int
    exact: ShareReport
    top5: Metric | None
    labels: list[LabelReport]
    confusion: ConfusionMatrix | None


class BoxEvaluation(Struct, frozen=True, kw_only=True):
    """What pictures with boxes say about a bundle.

    Attributes:
        boxes: True boxes that count.
        boxes_passed_over: Marked as crowds or as difficult.
        pictures_without_annotation: In the folder too, and not looked at.
        map50: Mean average precision where an overlap of half is enough; null without a true box.
        map50_low, map50_high: Its 95 % interval by bootstrap over pictures, approximate; null where all
            drawn sets give the same.
        map50_95: Its mean over ten overlaps from .50 to .95; null as well.
        labels: Figures for each label with a true box, or with a false one at threshold.
    """

    bundle: str
    sha256: str
    variant: str
    pictures: int
    boxes: int
    boxes_passed_over: int
    pictures_without_annotation: int
    map50: float | None
    map50_low: float | None
    map50_high: float | None
    map50_95: float | None
    labels: list[BoxLabelReport]


def evaluate_pictures(
    bundle: Bundle, variant: Variant, folder: Path, backend: Backend, progress: Progress
) -> PictureEvaluation:
    """Score a classifier on pictures in folders by class.

    Args:
        bundle: The bundle.
        variant: Which variant the backend is.
        folder: The pictures: see :mod:`converters.data.pictures`.
        backend: The variant, loaded.
        progress: Told how far the work is.

    Raises:
        DatasetError: The pictures cannot be used.
        BackendError: The variant cannot be run here.
    """
    manifest = bundle.manifest
    output, label_ids = manifest.classes, manifest.label_ids
    pictures = read_pictures(folder, manifest.labels, progress=progress)
    _tell(repeated_samples(pictures, PICTURES), progress)
    if output.exclusive:
        _tell(uncounted_background(pictures, PICTURES), progress)
    classifier = ImageClassifier(manifest.image, output, label_ids, backend, variant.tensors)
    answers, failed = ask_all(pictures.samples, {"": classifier.score}, progress, "evaluating")
    for error in failed.values():
        raise error
    scores = Scores.of_pictures(answers[""]).samples
    figures = ClassFigures(
        pictures,
        manifest.thresholds,
        exclusive=output.exclusive,
        otherwise=tuple(manifest.frame_rules),
    )
    return PictureEvaluation(
        bundle=valid_text(str(bundle.path)),
        sha256=bundle.sha256,
        variant=variant.name,
        pictures=len(pictures.samples),
        exact=share_report(figures.right(scores)),
        top5=next(iter(figures.top5(scores)), None),
        labels=figures.labels(scores),
        confusion=figures.confusion(scores),
    )


def evaluate_boxes(
    bundle: Bundle, variant: Variant, folder: Path, backend: Backend, progress: Progress
) -> BoxEvaluation:
    """Hold a detector's boxes against true ones.

    Args:
        bundle: The bundle.
        variant: Which variant the backend is.
        folder: Pictures with COCO JSON or Pascal VOC XML: see :mod:`converters.data.pictures`.
        backend: The variant, loaded.
        progress: Told how far the work is.

    Raises:
        DatasetError: The pictures or annotations cannot be used.
        BackendError: The variant cannot be run here.
    """
    manifest = bundle.manifest
    pictures = read_boxes(folder, manifest.labels, progress=progress)
    _tell([*repeated_samples(pictures, PICTURES), *boxes_without_area(pictures)], progress)
    detector = ImageDetector(
        manifest.image, manifest.detections, manifest.label_ids, backend, variant.tensors
    )
    answers, failed = ask_all(pictures.samples, {"": detector.detect}, progress, "evaluating")
    for error in failed.values():
        raise error
    figures = box_figures(pictures, answers[""], manifest.thresholds)
    summary = picture_summary(pictures)
    return BoxEvaluation(
        bundle=valid_text(str(bundle.path)),
        sha256=bundle.sha256,
        variant=variant.name,
        pictures=summary.pictures,
        boxes=sum(summary.boxes_by_label.values()),
        boxes_passed_over=summary.boxes_passed_over,
        pictures_without_annotation=summary.pictures_without_annotation,
        map50=_known(figures.metric.value),
        map50_low=figures.metric.low,
        map50_high=figures.metric.high,
        map50_95=_known(figures.more[0].value),
        labels=[label for label in figures.labels if isinstance(label, BoxLabelReport)],
    )


def _tell(notes: Sequence[str], progress: Progress) -> None:
    """Say what of the folder is not in the figures."""
    for note in notes:
        progress.step(note)


def _known(figure: float) -> float | None:
    return None if math.isnan(figure) else figure
