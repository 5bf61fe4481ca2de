"""``report.html``: the report for people. One file, no scripts, nothing fetched, no dates."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .report_file import ClipNote, LabelReport, Report, ShareReport, VariantReport

__all__ = ["render_report"]

_BAR_WIDTH = 160
_BAR_HEIGHT = 14

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c1c1c}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{padding:.25rem .7rem;border-bottom:1px solid #ddd}
th{text-align:left;font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}
.passed{color:#156b2e}.refused,.left_out{color:#a3210f}.note{color:#555}
"""


def render_report(report: Report) -> str:
    """The report as a page of HTML; the same report gives the same page."""
    sections = [
        f"<h1>{escape(report.name)} {escape(report.version)}</h1>",
        _evidence(report),
        _warnings(report),
        "<h2>Variants</h2>",
        _variants(report),
        "<h2>By label</h2>",
        *(_labels(item) for item in (report.source, *report.variants) if item.labels),
        f"<h2>Furthest from {escape(report.source.name)}</h2>",
        *(_worst(item) for item in report.variants if item.worst_clips),
        "<h2>Golden samples</h2>",
        _list(report.golden_samples),
        "<h2>Made from</h2>",
        _provenance(report),
    ]
    title = f"{escape(report.name)} {escape(report.version)}"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>\n" + "\n".join(sections) + "\n</body></html>\n"
    )


def _evidence(report: Report) -> str:
    summary = report.evaluation
    counts = ", ".join(f"{escape(label)} {n}" for label, n in summary.clips_by_label.items())
    metric = report.source.metric.name if report.source.metric else ""
    amount = f"{summary.clips} recordings ({summary.hours * 60:.1f} minutes, {summary.windows} windows)"
    return (
        f"<p>Judged on {amount}: {counts}, background {summary.background_clips}. "
        "A recording's score is the highest of its windows.</p>"
        f"<p><b>{escape(metric)}</b>: {escape(report.metric_meaning)}. A variant is refused when it "
        f"loses more than {report.max_drop:g}, overall or for any label. Intervals are exact, 95 %.</p>"
    )


def _warnings(report: Report) -> str:
    if not report.warnings:
        return ""
    return "<h2>Mind</h2>" + _list(report.warnings)


def _variants(report: Report) -> str:
    headings = (
        "variant",
        "metric",
        "n",
        "95 % interval",
        "drop",
        "agreement",
        "max difference",
        "worst label",
    )
    rows = [_variant_row(item) for item in (report.source, *report.variants)]
    return _table((*headings, "KB", "outcome"), rows)


def _variant_row(item: VariantReport) -> list[str]:
    outcome = item.outcome.replace("_", " ")
    verdict = f'<td class="{item.outcome}">{outcome}{": " if item.reason else ""}{escape(item.reason)}</td>'
    name = f"<td>{escape(item.name)}</td>"
    metric = item.metric
    if metric is None:
        return [name, *["<td></td>"] * 8, verdict]
    bar = _bar(metric.value, metric.low, metric.high)
    worst = "" if item.worst_label is None else f"{escape(item.worst_label)} {item.worst_label_drop:+.4f}"
    return [
        name,
        f'<td class="n">{metric.value:.4f}</td>',
        f'<td class="n">{metric.n}</td>',
        f"<td>{bar}</td>",
        _number(item.drop, "+.4f"),
        _number(item.agreement, ".4f"),
        _number(item.max_abs_difference, ".2e"),
        f"<td>{worst}</td>",
        _number(None if item.bytes is None else item.bytes / 1000, ".0f"),
        verdict,
    ]


def _labels(item: VariantReport) -> str:
    headings = ("label", "threshold", "recall", "", "precision", "", "specificity", "AUC", "95 %")
    return f"<h3>{escape(item.name)}</h3>" + _table(headings, [_label_row(label) for label in item.labels])


def _label_row(label: LabelReport) -> list[str]:
    auc = "" if label.auc_low is None else f"{label.auc_low:.3f}-{label.auc_high:.3f}"
    return [
        f"<td>{escape(label.label)}</td>",
        f'<td class="n">{label.threshold:g}</td>',
        f"<td>{_share(label.recall)}</td>",
        f"<td>{_share_bar(label.recall)}</td>",
        f"<td>{_share(label.precision)}</td>",
        f"<td>{_share_bar(label.precision)}</td>",
        f"<td>{_share(label.specificity)}</td>",
        _number(label.auc, ".4f"),
        f"<td>{auc}</td>",
    ]


def _worst(item: VariantReport) -> str:
    headings = ("recording", "label", "source", "variant", "threshold")
    return f"<h3>{escape(item.name)}</h3>" + _table(headings, [_clip_row(note) for note in item.worst_clips])


def _clip_row(note: ClipNote) -> list[str]:
    return [
        f"<td>{escape(note.clip)}</td>",
        f"<td>{escape(note.label)}</td>",
        _number(note.source_score, ".4f"),
        _number(note.score, ".4f"),
        _number(note.threshold, "g"),
    ]


def _provenance(report: Report) -> str:
    provenance = report.provenance
    files = [*provenance.source_models, provenance.evaluation]
    if provenance.calibration is not None:
        files.append(provenance.calibration)
    lines = [f"{file.name} ({file.n} files), sha256 {file.sha256}" for file in files]
    lines += [f"{name} {version}" for name, version in provenance.libraries.items()]
    if report.fusion_difference is not None:
        lines.append(f"fused; largest difference to its parts run in turn: {report.fusion_difference:.1e}")
    return _list(lines)


def _share(share: ShareReport) -> str:
    if share.value is None:
        return "none"
    return f"{share.hits} of {share.n} ({share.low:.2f}-{share.high:.2f})"


def _share_bar(share: ShareReport) -> str:
    return "" if share.value is None else _bar(share.value, share.low, share.high)


def _bar(value: float, low: float | None, high: float | None) -> str:
    """A value on 0..1 as a bar, with its interval as a line."""
    interval = ""
    if low is not None and high is not None:
        interval = (
            f'<path d="M{low * _BAR_WIDTH:.1f} 7H{high * _BAR_WIDTH:.1f}" stroke="#1c1c1c" stroke-width="2"/>'
        )
    return (
        f'<svg width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" role="img" aria-label="{value:.3f}">'
        f'<rect width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}" fill="#eee"/>'
        f'<rect width="{value * _BAR_WIDTH:.1f}" height="{_BAR_HEIGHT}" fill="#8fbf9f"/>{interval}</svg>'
    )


def _number(value: float | None, form: str) -> str:
    return f'<td class="n">{"" if value is None else format(value, form)}</td>'


def _table(headings: Iterable[str], rows: Iterable[list[str]]) -> str:
    head = "".join(f"<th>{heading}</th>" for heading in headings)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
