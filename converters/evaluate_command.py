"""``edge-sdk evaluate``: score a bundle on labelled recordings."""

from __future__ import annotations

import argparse

import msgspec

from edge_sdk.console.foreign_text import printable
from edge_sdk.console.progress import make_progress
from edge_sdk.console.table import text_table
from edge_sdk.inference.thread_argument import add_threads_argument

from .evaluation import Evaluation, EventReport, evaluate
from .report.report_file import LabelReport, ShareReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="the .edge file")
    parser.add_argument("recordings", metavar="DIR", help="one folder a label, and 'background'")
    parser.add_argument("--variant", metavar="NAME", help="which one (default: the bundle's first)")
    add_threads_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, and show the figures."""
    found = evaluate(
        arguments.bundle,
        arguments.recordings,
        variant=arguments.variant,
        threads=arguments.threads,
        progress=make_progress(),
    )
    print(msgspec.json.encode(found).decode() if arguments.json else _as_text(found))
    return 0


def _as_text(found: Evaluation) -> str:
    lines = [
        f"{printable(found.bundle)}  {found.variant}: {found.clips} recordings, {found.windows} windows",
        f"right in every label: {_share(found.exact)}",
        "",
        text_table(
            ["label", "threshold", "recall", "precision", "AUC", "with/without", "about 95 %"],
            [_label_row(label) for label in found.labels],
        ),
        "in brackets: counts and the exact 95 % interval; that of the AUC is approximate, from so many",
        "recordings with and without the label",
    ]
    if found.events:
        lines += ["", f"events on {found.long_recordings} long recordings", _event_table(found.events)]
    return "\n".join(lines)


def _label_row(label: LabelReport) -> list[str]:
    return [
        label.label,
        f"{label.threshold:g}",
        _share(label.recall),
        _share(label.precision),
        "" if label.auc is None else f"{label.auc:.4f}",
        f"{label.recall.n}/{label.specificity.n}",
        "" if label.auc_low is None else f"{label.auc_low:.3f}-{label.auc_high:.3f}",
    ]


def _event_table(events: list[EventReport]) -> str:
    headings = ["label", "false alarms", "hours", "a day, at most (95 %)", "events with label", "hours"]
    rows = [
        [
            item.label,
            str(item.false_alarms),
            f"{item.hours:.3f}",
            "" if item.per_day_at_most is None else f"{item.per_day_at_most:.1f}",
            str(item.events_with_label),
            f"{item.hours_with_label:.3f}",
        ]
        for item in events
    ]
    return text_table(headings, rows, numbers=range(1, 6))


def _share(share: ShareReport) -> str:
    if share.value is None:
        return "none"
    return f"{share.value:.3f} ({share.hits}/{share.n}, {share.low:.3f}-{share.high:.3f})"
