"""``report.html``: the report for people. One file, no scripts, nothing fetched, no dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from edge_sdk.console.counted import counted
from edge_sdk.console.told_once import told_once

from .device_notes import device_notes, outcome_of_build
from .html_labels import by_label, threshold_cell
from .html_parts import STYLE, bar, bullets, folded, number_cell, table, text_cell
from .report_file import (
    BoxLabelReport,
    EvaluationSummary,
    Moved,
    Report,
    VariantReport,
)

__all__ = ["render_report"]

_WHERE_TIMES_ARE = (
    '<p class="quiet">What an inference takes depends on the machine, so it is not in here: see '
    "<code>NAME.measured.json</code>, which was written beside the bundle.</p>"
)

_MOVED = 0.005
"""A score that moved by less is rounding; it would only hide the samples that matter."""


def render_report(report: Report) -> str:
    """The report as a page of HTML; the same report gives the same page."""
    sections = [
        f"<h1>{escape(report.name)} {escape(report.version)}</h1>",
        _evidence(report),
        _warnings(report),
        "<h2>Variants</h2>",
        _variants(report),
        _reasons(report),
        *_float_layers(report),
        _WHERE_TIMES_ARE,
        "<h2>By label</h2>",
        *by_label(report),
        f"<h2>{_words(report)[1].capitalize()} furthest from the {escape(report.source.name)}</h2>",
        _moved_samples(report),
        "<h2>Golden samples</h2>",
        "<p>Before a device trusts a variant, its answers to these must be right within a bound.</p>",
        bullets(report.golden_samples),
        "<h2>Made from</h2>",
        _provenance(report),
    ]
    title = f"{escape(report.name)} {escape(report.version)}"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(sections) + "\n</body></html>\n"
    )


def _evidence(report: Report) -> str:
    metric = report.source.metric.name if report.source.metric else ""
    approximate = "map50 (bootstrap over pictures)" if _has_boxes(report.source) else "AUC"
    return (
        f"<p>Judged on {_amount(report)}</p>"
        f"<p><b>{escape(metric)}</b>: {escape(report.metric_meaning)}. A variant is refused when it "
        f"loses more than {report.max_drop:g}, {_per_label(report)} Intervals are 95 %: exact, but "
        f"approximate for {approximate}.</p>"
    )


def _per_label(report: Report) -> str:
    if not _has_boxes(report.source):
        return "overall or for any label."
    return "overall or, surely so by resampling pictures, for any label of 10 true boxes or more."


def _has_boxes(item: VariantReport) -> bool:
    return any(isinstance(label, BoxLabelReport) for label in item.labels)


def _amount(report: Report) -> str:
    summary = report.evaluation
    if isinstance(summary, EvaluationSummary):
        amount = (
            f"{counted(summary.clips, 'recording', 'recordings')} ({summary.hours * 60:.1f} minutes, "
            f"{counted(summary.windows, 'window', 'windows')})"
        )
        counts = f"{_counts(summary.clips_by_label)}, background: {summary.background_clips}"
        return f"{amount}: {counts}. A recording's score is the highest of its windows."
    amount = f"{counted(summary.pictures, 'picture', 'pictures')}: {_counts(summary.pictures_by_label)}"
    amount = f"{amount}, background: {summary.background_pictures}."
    if summary.pictures_without_annotation:
        more = counted(summary.pictures_without_annotation, "more has", "more have")
        amount = f"{amount} {more} no annotation, which cannot count."
    if not summary.boxes_by_label:
        return amount
    boxes = f"True boxes: {_counts(summary.boxes_by_label)}"
    return f"{amount} {boxes}; {summary.boxes_passed_over} more are passed over, as crowds or as difficult."


def _counts(by_label: Mapping[str, int]) -> str:
    return ", ".join(f"{escape(label)}: {n}" for label, n in by_label.items())


def _words(report: Report) -> tuple[str, str]:
    """What one sample is called, and several."""
    if isinstance(report.evaluation, EvaluationSummary):
        return "recording", "recordings"
    return "picture", "pictures"


def _warnings(report: Report) -> str:
    if not report.warnings:
        return ""
    return f'<div class="mind"><b>Mind</b>{bullets(report.warnings)}</div>'


def _variants(report: Report) -> str:
    more = [metric.name for metric in report.source.more_metrics]
    headings = ["variant", "outcome", "metric", "95 % interval", *more]
    numbers = ["drop", "agreement", "max difference", "default kernels", "kB"]
    rows = [_variant_row(item, report, more) for item in (report.source, *report.variants)]
    return table(
        [*headings, *numbers, "worst label", "TensorRT-RTX"], rows, numbers={"metric", *more, *numbers}
    )


def _variant_row(item: VariantReport, report: Report, more: Sequence[str]) -> list[str]:
    metric, value, interval = item.metric, None, ""
    others = {other.name: other.value for other in item.more_metrics}
    if metric is not None:
        value = metric.value
        between = "" if metric.low is None else f"{metric.low:.3f}-{metric.high:.3f}"
        drawn = bar(metric.value, metric.low, metric.high)
        interval = f'{drawn} {between} <span class="quiet">n {metric.n}</span>'
    lost = item.worst_label_drop or 0.0
    worst = f"{item.worst_label} {lost:+.4f}" if lost > 0 else ""
    return [
        text_cell(item.name),
        _outcome_cell(item, report),
        number_cell(value, ".4f"),
        f"<td>{interval}</td>",
        *(number_cell(others.get(name), ".4f") for name in more),
        number_cell(item.drop, "+.4f"),
        number_cell(item.agreement, ".4f"),
        number_cell(item.max_abs_difference, ".1e"),
        number_cell(None if item.default_kernels is None else item.default_kernels.max_abs_difference, ".1e"),
        number_cell(None if item.bytes is None else item.bytes / 1000, ".0f"),
        text_cell(worst),
        text_cell(outcome_of_build(item.build_check)),
    ]


def _outcome_cell(item: VariantReport, report: Report) -> str:
    """The source was not judged; it is what the others are held against."""
    if item is report.source:
        return text_cell("")
    return text_cell(item.outcome.replace("_", " "), item.outcome)


def _reasons(report: Report) -> str:
    notes = told_once((item.name, item.note) for item in report.variants if item.note)
    reasons = told_once((item.name, item.reason) for item in report.variants if item.reason)
    lines = [
        *(f"{names}: {note}" for names, note in notes),
        *device_notes(report, in_full=True),
        *(f"{names}: {reason}" for names, reason in reasons),
    ]
    return bullets(lines) if lines else ""


def _float_layers(report: Report) -> list[str]:
    """Of quantized variants: what is not quantized."""
    return [
        folded(f"{item.name}: layers in float", bullets(item.float_layers))
        for item in report.variants
        if item.float_layers
    ]


def _moved_samples(report: Report) -> str:
    one = _words(report)[0]
    headings = ["variant", one, "label", report.source.name, "variant's", "threshold", "decision"]
    rows = [_moved_row(item.name, note) for item in report.variants for note in item.furthest if _moved(note)]
    if not rows:
        return f"<p>No score of a {one} moved by {_MOVED:g} or more in any variant.</p>"
    highest = "The highest window counts. " if one == "recording" else ""
    explained = f"<p>{highest}Scores that moved by less than {_MOVED:g} are not shown.</p>"
    return explained + table(headings, rows, numbers={report.source.name, "variant's", "threshold"})


def _moved(note: Moved) -> bool:
    return abs(note.score - note.source_score) >= _MOVED or note.flipped


def _moved_row(variant: str, note: Moved) -> list[str]:
    return [
        text_cell(variant),
        text_cell(note.sample),
        text_cell(note.label),
        number_cell(note.source_score, ".4f"),
        number_cell(note.score, ".4f"),
        threshold_cell(note.threshold),
        text_cell("flipped", "flipped") if note.flipped else text_cell("same", "quiet"),
    ]


def _provenance(report: Report) -> str:
    provenance = report.provenance
    files = [*provenance.source_models, provenance.evaluation]
    if provenance.calibration is not None:
        files.append(provenance.calibration)
    rows = [
        [text_cell(file.name), number_cell(file.n, "d"), f"<td><code>{file.sha256}</code></td>"]
        for file in files
    ]
    libraries = ", ".join(f"{name} {version}" for name, version in provenance.libraries.items())
    fused = (
        ""
        if report.fusion_difference is None
        else f"<p>Fused; largest difference to its parts run in turn: {report.fusion_difference:.1e}.</p>"
    )
    laid_out = table(["name", "files", "sha256"], rows, numbers={"files"})
    return f'{laid_out}{fused}<p class="quiet">With {escape(libraries)}.</p>'
