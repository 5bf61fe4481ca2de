"""What a conversion found out: ``report.json``, and the words for it.

Nothing in it depends on the clock: what was timed is in :class:`Measured`, which is written beside
the bundle.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from edge_sdk.contract.manifest import BuildCheck, Metric, Provenance
from edge_sdk.metrics.classification import LabelMetrics, Share

from .confusion import Confused, ConfusionMatrix
from .kernel_figures import KernelFigures
from .lint_finding import LintFinding

__all__ = [
    "BoxLabelReport",
    "EvaluationSummary",
    "LabelFigures",
    "LabelReport",
    "Latency",
    "Measured",
    "Moved",
    "PictureSummary",
    "Report",
    "ShareReport",
    "Summary",
    "VariantReport",
    "describe_metric",
    "encode_report",
    "label_report",
]

Outcome: TypeAlias = Literal["passed", "refused", "left_out"]

_METRIC_MEANING = {
    "accuracy": "share of {} whose highest-scoring label is the right one",
    "exact_match": "share of {} that are decided right at threshold in every label that the "
    "evaluation set has",
    "map50": "mean over labels of the average precision, where a box counts as right if it overlaps a "
    "true one by half (intersection over union); at most 100 boxes of a label in each of the {}, by COCO's "
    "rules",
}


class ShareReport(Struct, frozen=True, kw_only=True):
    """A counted share with its exact 95 % interval; ``value`` is null where ``n`` is 0."""

    value: float | None
    hits: int
    n: int
    low: float
    high: float


class LabelReport(Struct, frozen=True, kw_only=True):
    """Figures of one label.

    Attributes:
        threshold: null where labels exclude each other: the highest counts, whatever its score.
        auc_low, auc_high: 95 % interval of the AUC, which rests on ``recall.n`` recordings with the
            label and ``specificity.n`` without.
        auc_interval: How far to believe it: Newcombe's method is an approximation.
    """

    label: str
    threshold: float | None
    recall: ShareReport
    specificity: ShareReport
    precision: ShareReport
    balanced_accuracy: float | None
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    auc_interval: Literal["approximate"] = "approximate"


class BoxLabelReport(Struct, frozen=True, kw_only=True):
    """Figures of one label of a detector.

    Attributes:
        recall: Of the true boxes, those that a box at threshold overlaps by half or more.
        precision: Of the boxes at threshold, those that are one of these.
        missed: True boxes that none at threshold overlaps so.
        false: Boxes at threshold that are none of these.
        ap50: Average precision where half an overlap is enough; null without true boxes.
        ap50_95: Its mean over ten overlaps from .50 to .95.
    """

    label: str
    threshold: float
    recall: ShareReport
    precision: ShareReport
    missed: int
    false: int
    ap50: float | None
    ap50_95: float | None


LabelFigures: TypeAlias = "LabelReport | BoxLabelReport"


class Moved(Struct, frozen=True, kw_only=True):
    """One sample that a variant scores otherwise than the float source, at its worst label.

    Attributes:
        sample: The recording or picture.
        source_score, score: Of a detector, 0 where there is no such box.
        threshold: As of :class:`LabelReport`.
        flipped: Whether the two decide otherwise, too.
    """

    sample: str
    label: str
    source_score: float
    score: float
    threshold: float | None
    flipped: bool


class VariantReport(Struct, frozen=True, kw_only=True):
    """One variant: what became of it, and why.

    Attributes:
        outcome: ``passed``, ``refused`` by the gate, or ``left_out`` as it could not be made or run.
        reason: Why it is not in the bundle.
        drop: Of the metric, against the float source.
        more_metrics: Further figures, which the gate does not look at.
        worst_label, worst_label_drop: The label whose balanced accuracy (recall, where labels
            exclude each other; average precision of a detector) dropped most.
        labels: Figures for each label of the evaluation set; of a variant, where there are more than 100,
            for those that lost most.
        confusion: Which label is taken for which, where labels exclude each other and there are 30 at
            most; for more, :attr:`confused` says what counts.
        confused: The most frequent mistakes there, 20 at most.
        furthest: Samples where it is furthest from the float source.
        bound: Of its golden samples.
        least_iou: Of its golden samples: how much a box must overlap the expected one.
        note: How it was made, where that was decided on the way.
        float_layers: Layers that were kept in float, where others are integer.
        default_kernels: What this processor's own kernels make of it, where others judged it.
        lint: Of an ONNX: what TensorRT will not take, or not as it was meant.
        build_check: Of an ONNX: what TensorRT-RTX said; null where it was not asked.
    """

    name: str
    outcome: Outcome
    reason: str = ""
    metric: Metric | None = None
    more_metrics: list[Metric] = []
    drop: float | None = None
    agreement: float | None = None
    max_abs_difference: float | None = None
    bytes: int | None = None
    worst_label: str | None = None
    worst_label_drop: float | None = None
    labels: list[LabelReport | BoxLabelReport] = []
    confusion: ConfusionMatrix | None = None
    confused: list[Confused] = []
    furthest: list[Moved] = []
    bound: float | None = None
    least_iou: float | None = None
    note: str = ""
    float_layers: list[str] = []
    default_kernels: KernelFigures | None = None
    lint: list[LintFinding] = []
    build_check: BuildCheck | None = None


class EvaluationSummary(Struct, frozen=True, kw_only=True):
    """What the figures of a model that listens rest on."""

    clips: int
    windows: int
    hours: float
    clips_by_label: dict[str, int]
    background_clips: int
    labels_without_clips: list[str]


class PictureSummary(Struct, frozen=True, kw_only=True):
    """What the figures of a model that looks at pictures rest on.

    Attributes:
        boxes_by_label: True boxes that count; empty for a classifier.
        boxes_passed_over: Marked as crowds or as difficult.
        pictures_without_annotation: In the folder too; what is in them is not known, so they do not count.
    """

    pictures: int
    pictures_by_label: dict[str, int]
    background_pictures: int
    labels_without_pictures: list[str]
    boxes_by_label: dict[str, int] = {}
    boxes_passed_over: int = 0
    pictures_without_annotation: int = 0


Summary: TypeAlias = "EvaluationSummary | PictureSummary"


class Report(Struct, frozen=True, kw_only=True):
    """``report.json``.

    Attributes:
        not_built: Why TensorRT-RTX was not asked about ONNX variants; empty where it was, or there are none.
    """

    name: str
    version: str
    metric_meaning: str
    max_drop: float
    evaluation: EvaluationSummary | PictureSummary
    source: VariantReport
    variants: list[VariantReport]
    golden_samples: list[str]
    warnings: list[str]
    provenance: Provenance
    fusion_difference: float | None = None
    not_built: str = ""


class Latency(Struct, frozen=True, kw_only=True):
    """Time of one inference of one variant, without the front end."""

    variant: str
    median_ms: float
    p95_ms: float
    n: int


class Measured(Struct, frozen=True, kw_only=True):
    """``NAME.measured.json``: what was timed, on which machine. Not part of the bundle."""

    bundle_sha256: str
    machine: str
    processor: str
    threads: int
    libraries: dict[str, str]
    latency: list[Latency]


def encode_report(report: Struct) -> bytes:
    """As indented JSON, UTF-8; the same report gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def describe_metric(name: str, samples: str) -> str:
    """What a metric of that name says.

    Args:
        name: The metric.
        samples: What it is computed from: ``recordings``, ``pictures``.
    """
    return _METRIC_MEANING[name].format(samples)


def label_report(metrics: LabelMetrics, threshold: float | None) -> LabelReport:
    """Figures of one label as they are stored."""
    interval = metrics.auc_interval
    return LabelReport(
        label=metrics.label_id,
        threshold=threshold,
        recall=share_report(metrics.recall),
        specificity=share_report(metrics.specificity),
        precision=share_report(metrics.precision),
        balanced_accuracy=metrics.balanced_accuracy,
        auc=metrics.auc,
        auc_low=None if interval is None else interval.low,
        auc_high=None if interval is None else interval.high,
    )


def share_report(share: Share) -> ShareReport:
    """A share as it is stored."""
    interval = share.interval
    return ShareReport(value=share.value, hits=share.hits, n=share.n, low=interval.low, high=interval.high)
