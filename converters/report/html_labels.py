"""The part of the report's page that tells of each label."""

from __future__ import annotations

from html import escape

from .html_parts import folded, number_cell, share_cell, table, text_cell
from .report_file import BoxLabelReport, LabelReport, Report, VariantReport

__all__ = ["by_label", "threshold_cell"]


def by_label(report: Report) -> list[str]:
    """A table of the source, one of each variant that decides otherwise, and a line for the others."""
    source = report.source
    judged = [item for item in report.variants if item.labels]
    same = [item.name for item in judged if _decisions(item) == _decisions(source)]
    tables = [folded(item.name, _labels(item) + _confusion(item)) for item in judged if item.name not in same]
    alike = [f"<p>Each label as by the {escape(source.name)}: {escape(', '.join(same))}.</p>"] if same else []
    return [f"<h3>{escape(source.name)}</h3>", _labels(source), _confusion(source), *tables, *alike]


def _decisions(item: VariantReport) -> tuple[object, ...]:
    """A classifier's; and of a detector also how precise its boxes are."""
    figures = [
        label if isinstance(label, BoxLabelReport) else (label.recall, label.precision, label.specificity)
        for label in item.labels
    ]
    return figures, item.confusion, item.confused


def _labels(item: VariantReport) -> str:
    boxes = [label for label in item.labels if isinstance(label, BoxLabelReport)]
    if boxes:
        numbers = ["missed", "false", "AP50", "AP50-95"]
        headings = ["label", "threshold", "recall", "precision", *numbers]
        return table(headings, map(_box_row, boxes), numbers={"threshold", *numbers})
    headings = ["label", "threshold", "recall", "precision", "specificity", "AUC"]
    rows = [_label_row(label) for label in item.labels if isinstance(label, LabelReport)]
    return table(headings, rows, numbers={"threshold"})


def _box_row(label: BoxLabelReport) -> list[str]:
    return [
        text_cell(label.label),
        number_cell(label.threshold, "g"),
        share_cell(label.recall),
        share_cell(label.precision),
        number_cell(label.missed, "d"),
        number_cell(label.false, "d"),
        number_cell(label.ap50, ".4f"),
        number_cell(label.ap50_95, ".4f"),
    ]


def _label_row(label: LabelReport) -> list[str]:
    between = "" if label.auc_low is None else f"{label.auc_low:.2f}-{label.auc_high:.2f}"
    auc = "" if label.auc is None else f'{label.auc:.3f} <span class="quiet">{between}</span>'
    return [
        text_cell(label.label),
        threshold_cell(label.threshold),
        share_cell(label.recall),
        share_cell(label.precision),
        share_cell(label.specificity),
        f"<td>{auc}</td>",
    ]


def threshold_cell(value: float | None) -> str:
    """What a score must reach; where there is none, the highest counts."""
    return '<td class="n">highest</td>' if value is None else number_cell(value, "g")


def _confusion(item: VariantReport) -> str:
    """What is taken for what: as a matrix, or of many labels the most frequent mistakes."""
    matrix = item.confusion
    if matrix is not None:
        rows = [
            [text_cell(label), *(number_cell(n or None, "d") for n in row)]
            for label, row in zip(matrix.labels, matrix.counts, strict=True)
        ]
        laid_out = table(["is / taken for", *matrix.labels], rows, numbers=matrix.labels)
        told = "a row for each label that is there, a column for what it is taken for"
        return f"<p>Confusion: {told}.</p>{laid_out}"
    if not item.confused:
        return ""
    rows = [[text_cell(one.label), text_cell(one.decided), number_cell(one.n, "d")] for one in item.confused]
    return f"<p>The most frequent mistakes:</p>{table(['is', 'taken for', 'n'], rows, numbers={'n'})}"
