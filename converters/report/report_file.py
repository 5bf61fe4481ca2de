"""What a conversion found out: ``report.json``, and the words for it.

Nothing in it depends on the clock: what was timed is in :class:`Measured`, which is written beside
the bundle.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from edge_sdk.contract.manifest import Metric, Provenance
from edge_sdk.metrics.classification import LabelMetrics, Share

__all__ = [
    "ClipNote",
    "LabelReport",
    "Latency",
    "Measured",
    "Report",
    "ShareReport",
    "VariantReport",
    "describe_metric",
    "encode_report",
    "label_report",
]

Outcome: TypeAlias = Literal["passed", "refused", "left_out"]

_METRIC_MEANING = {
    "accuracy": "share of recordings whose highest-scoring label is the right one",
    "exact_match": "share of recordings that are decided right at threshold in every label that the "
    "evaluation set has",
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
        auc_low, auc_high: 95 % interval of the AUC, which rests on ``recall.n`` recordings with the
            label and ``specificity.n`` without.
        auc_interval: How far to believe it: Newcombe's method is an approximation.
    """

    label: str
    threshold: float
    recall: ShareReport
    specificity: ShareReport
    precision: ShareReport
    balanced_accuracy: float | None
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    auc_interval: Literal["approximate"] = "approximate"


class ClipNote(Struct, frozen=True, kw_only=True):
    """One recording that a variant scores otherwise than the float source, at its worst label.

    Attributes:
        flipped: Whether the two decide otherwise, too.
    """

    clip: str
    label: str
    source_score: float
    score: float
    threshold: float
    flipped: bool


class VariantReport(Struct, frozen=True, kw_only=True):
    """One variant: what became of it, and why.

    Attributes:
        outcome: ``passed``, ``refused`` by the gate, or ``left_out`` as it could not be made or run.
        reason: Why it is not in the bundle.
        drop: Of the metric, against the float source.
        worst_label, worst_label_drop: The label whose balanced accuracy (recall, where labels
            exclude each other) dropped most.
        labels: Figures for each label of the evaluation set.
        worst_clips: Where it is furthest from the float source.
        bound: Of its golden samples.
        note: How it was made, where that was decided on the way.
        float_layers: Layers that were kept in float, where others are integer.
    """

    name: str
    outcome: Outcome
    reason: str = ""
    metric: Metric | None = None
    drop: float | None = None
    agreement: float | None = None
    max_abs_difference: float | None = None
    bytes: int | None = None
    worst_label: str | None = None
    worst_label_drop: float | None = None
    labels: list[LabelReport] = []
    worst_clips: list[ClipNote] = []
    bound: float | None = None
    note: str = ""
    float_layers: list[str] = []


class EvaluationSummary(Struct, frozen=True, kw_only=True):
    """What the figures rest on."""

    clips: int
    windows: int
    hours: float
    clips_by_label: dict[str, int]
    background_clips: int
    labels_without_clips: list[str]


class Report(Struct, frozen=True, kw_only=True):
    """``report.json``."""

    name: str
    version: str
    metric_meaning: str
    max_drop: float
    evaluation: EvaluationSummary
    source: VariantReport
    variants: list[VariantReport]
    golden_samples: list[str]
    warnings: list[str]
    provenance: Provenance
    fusion_difference: float | None = None


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


def describe_metric(name: str) -> str:
    """What a metric of that name says."""
    return _METRIC_MEANING[name]


def label_report(metrics: LabelMetrics, threshold: float) -> LabelReport:
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
