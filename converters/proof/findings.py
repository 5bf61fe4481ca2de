"""From what was found out to the report that is stored."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from edge_sdk.contract.golden import MOST_BOUND
from edge_sdk.contract.manifest import Provenance

from ..report.confusion import most_confused
from ..report.report_file import BoxLabelReport, LabelFigures, Report, VariantReport, describe_metric
from ..spec.conversion_spec import ConversionSpec
from .proven import Proof, Proven
from .trial import Trial
from .verdict import Judged

__all__ = ["assemble_report"]

_WIDE_BOUND = 0.1
_MOST_LABELS = 100
_LARGEST_MATRIX = 30
_MOST_CONFUSED = 20


def assemble_report(
    spec: ConversionSpec,
    trial: Trial,
    proof: Proof,
    provenance: Provenance,
    *,
    source_name: str,
    max_drop: float,
) -> Report:
    """The report of a conversion; the same findings give the same report.

    Args:
        spec: How the model is fed and read.
        trial: What it was judged on.
        proof: What was found out.
        provenance: What went in.
        source_name: What to call the model that variants are held against.
        max_drop: How much of the metric they may lose.
    """
    return Report(
        name=spec.name,
        version=spec.version,
        metric_meaning=describe_metric(proof.source.metric.name, trial.nouns.many),
        max_drop=max_drop,
        evaluation=trial.summary(),
        source=_source_report(source_name, proof.source),
        variants=_variant_reports(proof),
        golden_samples=list(proof.golden.names),
        warnings=_warnings(trial, proof),
        provenance=provenance,
        fusion_difference=proof.fusion_difference,
        not_built=proof.not_built,
    )


def _source_report(name: str, source: Judged) -> VariantReport:
    report = VariantReport(
        name=name,
        outcome="passed",
        metric=source.metric,
        more_metrics=source.more,
        labels=list(source.labels),
    )
    return _with_confusion(report, source)


def _variant_reports(proof: Proof) -> list[VariantReport]:
    """Of each that was asked for, once; what was left out comes last."""
    outcomes = {item.name: _proven_report(item, proof.source) for item in proof.proven}
    outcomes |= {
        name: VariantReport(name=name, outcome="left_out", reason=reason)
        for name, reason in proof.left_out.items()
    }
    return list(outcomes.values())


def _proven_report(item: Proven, source: Judged) -> VariantReport:
    verdict, judged = item.verdict, item.judged
    report = VariantReport(
        name=item.name,
        outcome="passed" if item.passed else "refused",
        reason=verdict.refusal,
        metric=judged.metric,
        more_metrics=judged.more,
        drop=verdict.drop,
        agreement=verdict.agreement,
        max_abs_difference=verdict.max_abs_difference,
        bytes=len(item.candidate.content),
        worst_label=verdict.worst_label,
        worst_label_drop=verdict.worst_label_drop,
        labels=_most_moved(judged.labels, source.labels),
        furthest=verdict.furthest,
        bound=item.tolerance.bound,
        least_iou=item.tolerance.least_iou,
        note=item.candidate.made.note,
        float_layers=list(item.candidate.made.float_layers),
        default_kernels=item.default_kernels,
        lint=list(item.candidate.lint),
        build_check=item.build_check,
    )
    return _with_confusion(report, judged)


def _most_moved(labels: Sequence[LabelFigures], source: Sequence[LabelFigures]) -> list[LabelFigures]:
    """Labels of a variant, in the model's order: of very many, those that lost most.

    A thousand for each of seven variants would be larger than the models.
    """
    before = {item.label: _label_figure(item) for item in source}
    lost = sorted(labels, key=lambda item: before.get(item.label, 0.0) - _label_figure(item), reverse=True)
    kept = {item.label for item in lost[:_MOST_LABELS]}
    return [item for item in labels if item.label in kept]


def _label_figure(item: LabelFigures) -> float:
    return (item.ap50 if isinstance(item, BoxLabelReport) else item.balanced_accuracy) or 0.0


def _with_confusion(report: VariantReport, judged: Judged) -> VariantReport:
    matrix = judged.confusion
    if matrix is None:
        return report
    small = len(matrix.labels) <= _LARGEST_MATRIX
    return structs.replace(
        report, confusion=matrix if small else None, confused=most_confused(matrix, _MOST_CONFUSED)
    )


def _warnings(trial: Trial, proof: Proof) -> list[str]:
    bound = max((item.tolerance.bound for item in proof.passed), default=0.0)
    return [
        *trial.case.acceptance.warnings(),
        *proof.warnings,
        *trial.warnings(proof.golden, bound),
        *(warning for item in proof.proven for warning in item.warnings),
        *(
            f"{item.name}: kernels here differ so much that its golden bound is {item.tolerance.bound:.3f} "
            f"(at most {MOST_BOUND:g}): a device's scores may be off by that unnoticed"
            for item in proof.proven
            if item.tolerance.bound > _WIDE_BOUND
        ),
    ]
