"""``edge-sdk evaluate``: score a bundle on labelled recordings or pictures."""

from __future__ import annotations

import argparse

import msgspec

from edge_sdk.console.foreign_text import printable
from edge_sdk.console.progress import make_progress
from edge_sdk.console.table import text_table
from edge_sdk.inference.thread_argument import add_threads_argument

from .evaluation.evaluate import Evaluation, evaluate
from .evaluation.pictures import BoxEvaluation, PictureEvaluation
from .evaluation.sound import EventReport, SoundEvaluation
from .report.report_file import BoxLabelReport, LabelReport, ShareReport

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", help="the .edge file")
    parser.add_argument(
        "samples",
        metavar="DIR",
        help="one folder a label, and 'background'; for a detector pictures with COCO JSON or Pascal VOC XML",
    )
    parser.add_argument("--variant", metavar="NAME", help="which one (default: the bundle's first)")
    add_threads_argument(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, and show the figures."""
    found = evaluate(
        arguments.bundle,
        arguments.samples,
        variant=arguments.variant,
        threads=arguments.threads,
        progress=make_progress(),
    )
    print(msgspec.json.encode(found).decode() if arguments.json else _as_text(found))
    return 0


def _as_text(found: Evaluation) -> str:
    if isinstance(found, SoundEvaluation):
        return _sound_text(found)
    if isinstance(found, PictureEvaluation):
        return _picture_text(found)
    return _box_text(found)


def _sound_text(found: SoundEvaluation) -> str:
    lines = [
        f"{printable(found.bundle)}  {found.variant}: {found.clips} recordings, {found.windows} windows",
        f"right in every label: {_share(found.exact)}",
        "",
        *_label_table(found.labels, "recordings"),
    ]
    if found.events:
        lines += ["", f"events on {found.long_recordings} long recordings", _event_table(found.events)]
    return "\n".join(lines)


def _picture_text(found: PictureEvaluation) -> str:
    lines = [
        f"{printable(found.bundle)}  {found.variant}: {found.pictures} pictures",
        f"right in every label: {_share(found.exact)}",
    ]
    if found.top5 is not None:
        between = f"n {found.top5.n}, {found.top5.low:.3f}-{found.top5.high:.3f}"
        lines.append(f"right label among the best five: {found.top5.value:.3f} ({between})")
    return "\n".join([*lines, "", *_label_table(found.labels, "pictures")])


def _box_text(found: BoxEvaluation) -> str:
    passed = f"{found.boxes_passed_over} more are passed over"
    unlisted = found.pictures_without_annotation
    told = f"; {unlisted} more have no annotation and were not looked at" if unlisted else ""
    lines = [
        f"{printable(found.bundle)}  {found.variant}: {found.pictures} pictures{told}",
        f"{found.boxes} true boxes; {passed}",
        f"mAP50 {found.map50:.4f}, mAP50-95 {found.map50_95:.4f}",
        "",
        text_table(
            ["label", "threshold", "recall", "precision", "AP50", "AP50-95"],
            [_box_row(label) for label in found.labels],
        ),
        "recall and precision at threshold, with counts and the exact 95 % interval",
    ]
    return "\n".join(lines)


def _label_table(labels: list[LabelReport], samples: str) -> list[str]:
    return [
        text_table(
            ["label", "threshold", "recall", "precision", "AUC", "with/without", "about 95 %"],
            [_label_row(label) for label in labels],
        ),
        "in brackets: counts and the exact 95 % interval; that of the AUC is approximate, from so many",
        f"{samples} with and without the label",
    ]


def _box_row(label: BoxLabelReport) -> list[str]:
    return [
        label.label,
        f"{label.threshold:g}",
        _share(label.recall),
        _share(label.precision),
        "" if label.ap50 is None else f"{label.ap50:.4f}",
        "" if label.ap50_95 is None else f"{label.ap50_95:.4f}",
    ]


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
