"""The report for a terminal: what fits 80 columns; the rest is in the bundle's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge_sdk.console.counted import counted
from edge_sdk.console.table import text_table
from edge_sdk.console.told_once import told_once

from .device_notes import device_notes
from .report_file import EvaluationSummary, Latency, Report, VariantReport

__all__ = ["report_table"]

_ROUNDING = 1e-9
"""0.99 - 0.98 is a little more than 0.01 in binary."""


def report_table(report: Report, latency: Sequence[Latency] = ()) -> str:
    """The variants as a table, the float source first, then why some are not in the bundle.

    What was left out has no figures, so it has a line instead of a row.
    """
    times = {item.variant: f"{item.median_ms:.2f}" for item in latency}
    metric = report.source.metric.name if report.source.metric else "metric"
    headings = ["variant", metric, "drop", "agreement", "max diff", "kB", "ms", "outcome"]
    judged = [item for item in report.variants if item.outcome != "left_out"]
    rows = [_row(item, times, item.outcome) for item in judged]
    rows = [_row(report.source, times, ""), *rows]
    lines = [text_table(headings, rows, numbers=range(1, 7)), *_evidence(report)]
    lines += [line for item in judged for line in _lost_beside(item, report)]
    notes = told_once((item.name, item.note) for item in judged if item.note)
    lines += [f"{names}: {note}" for names, note in notes]
    lines += device_notes(report)
    lines += [f"{item.name}: refused: {item.reason}" for item in judged if item.outcome == "refused"]
    absent = told_once((item.name, item.reason) for item in report.variants if item.outcome == "left_out")
    lines += [f"{names}: left out: {reason}" for names, reason in absent]
    lines += [f"warning: {warning}" for warning in report.warnings]
    return "\n".join(lines)


def _evidence(report: Report) -> list[str]:
    """How many samples the figures are from, and how sure those of the float source are."""
    source = report.source
    if source.metric is None:
        return []
    heard = isinstance(report.evaluation, EvaluationSummary)
    one, many = ("recording", "recordings") if heard else ("picture", "pictures")
    metric = source.metric
    parts = [] if metric.low is None else [f"95 % interval {metric.low:.3f} to {metric.high:.3f}"]
    parts += [f"{other.name} {other.value:.4f}" for other in source.more_metrics]
    judged = f"{metric.name} of {counted(metric.n, one, many)}"
    return [f"{judged}; {source.name}: {', '.join(parts)}" if parts else judged]


def _lost_beside(item: VariantReport, report: Report) -> Iterator[str]:
    """Further metrics that a variant loses much of: no column shows them, and a variant may pass without."""
    before = {metric.name: metric.value for metric in report.source.more_metrics}
    for metric in item.more_metrics:
        drop = before.get(metric.name, metric.value) - metric.value
        if drop > report.max_drop + _ROUNDING:
            lost = f"{metric.name} drops by {drop:.4f} to {metric.value:.4f}"
            yield f"{item.name}: {lost}; the gate does not judge it"


def _row(item: VariantReport, times: dict[str, str], outcome: str) -> list[str]:
    return [
        item.name,
        _number(None if item.metric is None else item.metric.value, ".4f"),
        _number(item.drop, "+.4f"),
        _number(item.agreement, ".4f"),
        _number(item.max_abs_difference, ".1e"),
        _number(None if item.bytes is None else item.bytes / 1000, ".0f"),
        times.get(item.name, ""),
        outcome,
    ]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
