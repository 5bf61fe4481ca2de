"""From what was found out to the report that is stored."""

from __future__ import annotations

import numpy as np

from edge_sdk.contract.manifest import Provenance

from ..data.dataset import Dataset
from ..report.report_file import EvaluationSummary, Report, VariantReport, describe_metric
from ..spec.spec_file import ConversionSpec
from .golden import indistinct_labels
from .proven import Proof, Proven

__all__ = ["assemble_report"]

_FEW_CLIPS = 10
_SECONDS_AN_HOUR = 3600.0
_WIDE_BOUND = 0.1


def assemble_report(
    spec: ConversionSpec,
    evaluation: Dataset,
    proof: Proof,
    provenance: Provenance,
    *,
    source_name: str,
    max_drop: float,
) -> Report:
    """The report of a conversion; the same findings give the same report.

    Args:
        spec: How the model is fed and read.
        evaluation: What it was judged on.
        proof: What was found out.
        provenance: What went in.
        source_name: What to call the model that variants are held against.
        max_drop: How much of the metric they may lose.
    """
    outcomes = {item.name: _proven_report(item) for item in proof.proven}
    outcomes |= {
        name: VariantReport(name=name, outcome="left_out", reason=reason)
        for name, reason in proof.left_out.items()
    }
    return Report(
        name=spec.name,
        version=spec.version,
        metric_meaning=describe_metric(proof.source_metric.name),
        max_drop=max_drop,
        evaluation=_summary(evaluation, proof),
        source=VariantReport(
            name=source_name, outcome="passed", metric=proof.source_metric, labels=proof.source_labels
        ),
        variants=list(outcomes.values()),
        golden_samples=list(proof.golden.names),
        warnings=_warnings(spec, evaluation, proof),
        provenance=provenance,
        fusion_difference=proof.fusion_difference,
    )


def _proven_report(item: Proven) -> VariantReport:
    verdict = item.verdict
    return VariantReport(
        name=item.name,
        outcome="passed" if item.passed else "refused",
        reason=verdict.refusal,
        metric=item.metric,
        drop=verdict.drop,
        agreement=verdict.agreement,
        max_abs_difference=verdict.max_abs_difference,
        bytes=len(item.candidate.content),
        worst_label=verdict.worst_label,
        worst_label_drop=verdict.worst_label_drop,
        labels=item.labels,
        worst_clips=verdict.worst_clips,
        bound=item.bound,
        note=item.candidate.made.note,
        float_layers=list(item.candidate.made.float_layers),
    )


def _summary(evaluation: Dataset, proof: Proof) -> EvaluationSummary:
    counts = evaluation.truth.sum(axis=0)
    return EvaluationSummary(
        clips=len(evaluation.clips),
        windows=len(proof.source_scores.places),
        hours=round(sum(clip.duration_s for clip in evaluation.clips) / _SECONDS_AN_HOUR, 4),
        clips_by_label={
            label_id: int(counts[column])
            for column, label_id in enumerate(evaluation.label_ids)
            if counts[column]
        },
        background_clips=int((~evaluation.truth.any(axis=1)).sum()),
        labels_without_clips=[
            label_id for column, label_id in enumerate(evaluation.label_ids) if not counts[column]
        ],
    )


def _warnings(spec: ConversionSpec, evaluation: Dataset, proof: Proof) -> list[str]:
    return [
        *_thin_evidence(spec, evaluation),
        *_blind_golden(evaluation, proof),
        *(
            f"{item.name}: kernels here differ so much that its golden bound is {item.bound:.3f}"
            for item in proof.proven
            if item.bound > _WIDE_BOUND
        ),
    ]


def _thin_evidence(spec: ConversionSpec, evaluation: Dataset) -> list[str]:
    warnings = []
    counts = dict(zip(evaluation.label_ids, evaluation.truth.sum(axis=0).tolist(), strict=True))
    few = [f"{label_id} ({n})" for label_id, n in counts.items() if 0 < n < _FEW_CLIPS]
    if few:
        warnings.append(f"few recordings, so wide intervals: {', '.join(few)}")
    unproved = [label_id for label_id, n in counts.items() if n == 0 and label_id in spec.rules]
    if unproved:
        shown = ", ".join(unproved[:10]) + (f" and {len(unproved) - 10} more" if len(unproved) > 10 else "")
        warnings.append(f"labels that alert but have no recording in the evaluation set: {shown}")
    if not (~evaluation.truth.any(axis=1)).any() and not spec.classes.exclusive:
        warnings.append("the evaluation set has no background: false alarms were not looked for")
    return warnings


def _blind_golden(evaluation: Dataset, proof: Proof) -> list[str]:
    """Swapped labels must fail the golden samples; say where they would not."""
    bound = max((item.bound for item in proof.passed), default=0.0)
    columns = [evaluation.label_ids.index(label_id) for label_id in evaluation.covered]
    expected = np.ascontiguousarray(proof.golden.expected[:, columns])
    pairs = indistinct_labels(evaluation.covered, expected, bound)
    if not pairs:
        return []
    shown = ", ".join(f"{first}/{second}" for first, second in pairs[:5])
    more = f" and {len(pairs) - 5} more pairs" if len(pairs) > 5 else ""
    return [f"golden samples would not notice these labels exchanged: {shown}{more}"]
