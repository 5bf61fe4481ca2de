"""The report for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.console.table import text_table
from edge_sdk.console.told_once import told_once

from .device_notes import device_notes, outcome_of_build
from .report_file import Latency, Report, VariantReport

__all__ = ["report_table"]


def report_table(report: Report, latency: Sequence[Latency] = ()) -> str:
    """The variants as a table, the float source first, then why some are not in the bundle.

    Where several were left out for one reason, they have a line instead of rows.
    """
    times = {item.variant: f"{item.median_ms:.2f}" for item in latency}
    metric = report.source.metric.name if report.source.metric else "metric"
    more = [other.name for other in report.source.more_metrics]
    headings = ["variant", metric, "n", "95 %", *more, "drop", "agreement", "max diff", "KB", "ms", "outcome"]
    together = _left_out_together(report)
    rowless = {name for names in together.values() for name in names}
    items = [report.source, *(item for item in report.variants if item.name not in rowless)]
    rows = [_row(item, times, more) for item in items]
    for heading, cells in _further_columns(items):
        headings.insert(-1, heading)
        for row, cell in zip(rows, cells, strict=True):
            row.insert(-1, cell)
    lines = [text_table(headings, rows, numbers=range(1, 9 + len(more)))]
    notes = told_once((item.name, item.note) for item in report.variants if item.note)
    lines += [f"{names}: {note}" for names, note in notes]
    lines += device_notes(report)
    lines += [
        f"{item.name}: {item.outcome.replace('_', ' ')}: {item.reason}"
        for item in report.variants
        if item.outcome != "passed" and item.name not in rowless
    ]
    lines += [f"{', '.join(names)}: left out: {reason}" for reason, names in together.items()]
    lines += [f"warning: {warning}" for warning in report.warnings]
    return "\n".join(lines)


def _left_out_together(report: Report) -> dict[str, list[str]]:
    """Variants that were left out for one and the same reason: one line is read, five empty rows are not."""
    names: dict[str, list[str]] = {}
    for item in report.variants:
        if item.outcome == "left_out":
            names.setdefault(item.reason, []).append(item.name)
    return {reason: several for reason, several in names.items() if len(several) > 1}


def _further_columns(items: Sequence[VariantReport]) -> list[tuple[str, list[str]]]:
    """Heading and cells of what only some variants have; none where no variant has it."""
    kernels = [item.default_kernels for item in items]
    columns = [
        (
            "default kernels",
            ["" if found is None else f"{found.max_abs_difference:.1e}" for found in kernels],
        ),
        ("TensorRT-RTX", [outcome_of_build(item.build_check) for item in items]),
    ]
    return [(heading, cells) for heading, cells in columns if any(cells)]


def _row(item: VariantReport, times: dict[str, str], more: Sequence[str]) -> list[str]:
    metric = item.metric
    size = "" if item.bytes is None else f"{item.bytes / 1000:.0f}"
    if metric is None:
        empty = [""] * (6 + len(more))
        return [item.name, *empty, size, times.get(item.name, ""), _outcome(item)]
    others = {other.name: other.value for other in item.more_metrics}
    interval = "" if metric.low is None else f"{metric.low:.3f}-{metric.high:.3f}"
    return [
        item.name,
        f"{metric.value:.4f}",
        str(metric.n),
        interval,
        *(_number(others.get(name), ".4f") for name in more),
        _number(item.drop, "+.4f"),
        _number(item.agreement, ".4f"),
        _number(item.max_abs_difference, ".1e"),
        size,
        times.get(item.name, ""),
        _outcome(item),
    ]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _outcome(item: VariantReport) -> str:
    return item.outcome.replace("_", " ")
