"""``edge-sdk evaluate``: score a bundle on labelled recordings or pictures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from edge_sdk.console.counted import counted
from edge_sdk.console.foreign_text import printable
from edge_sdk.console.progress import make_progress
from edge_sdk.console.table import text_table
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import ClassesOutput, Manifest
from edge_sdk.inference.thread_argument import add_threads_argument

from .data.nouns import PICTURES, RECORDINGS
from .evaluation.evaluate import Evaluation, evaluate
from .evaluation.pictures import BoxEvaluation, PictureEvaluation
from .evaluation.sound import EventReport, SoundEvaluation
from .report.confusion import ConfusionMatrix, most_confused
from .report.report_file import BoxLabelReport, LabelReport, ShareReport

__all__ = ["add_arguments", "run"]

_MOST_NAMED = 5
_MOST_CONFUSED = 10


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
    bundle = Bundle.open(arguments.bundle)
    found = evaluate(
        bundle,
        arguments.samples,
        variant=arguments.variant,
        threads=arguments.threads,
        progress=make_progress(),
    )
    print(msgspec.json.encode(found).decode() if arguments.json else _as_text(found, bundle.manifest))
    return 0


def _as_text(found: Evaluation, manifest: Manifest) -> str:
    if isinstance(found, SoundEvaluation):
        return _sound_text(found, manifest)
    if isinstance(found, PictureEvaluation):
        return _picture_text(found, manifest)
    return _box_text(found, manifest)


def _sound_text(found: SoundEvaluation, manifest: Manifest) -> str:
    amount = f"{RECORDINGS.counted(found.clips)}, {counted(found.windows, 'window', 'windows')}"
    lines = [
        f"{printable(found.bundle)}  {found.variant}: {amount}",
        f"right in every label: {_whole_share(found.exact)}",
        "",
        *_label_table(found.labels, manifest),
        *_confusions(found.confusion),
    ]
    if found.events:
        lines += [
            "",
            f"events on {counted(found.long_recordings, 'long recording', 'long recordings')}",
            _event_table(found.events),
        ]
    return "\n".join(lines)


def _picture_text(found: PictureEvaluation, manifest: Manifest) -> str:
    lines = [
        f"{printable(found.bundle)}  {found.variant}: {PICTURES.counted(found.pictures)}",
        f"right in every label: {_whole_share(found.exact)}",
    ]
    if found.top5 is not None:
        between = f"n {found.top5.n}, {found.top5.low:.3f}-{found.top5.high:.3f}"
        lines.append(f"right label among the best five: {found.top5.value:.3f} ({between})")
    return "\n".join([*lines, "", *_label_table(found.labels, manifest), *_confusions(found.confusion)])


def _box_text(found: BoxEvaluation, manifest: Manifest) -> str:
    rows = [
        _Row(label.label, label.threshold, label.recall, label.precision, [*map(_number, _precisions(label))])
        for label in found.labels
    ]
    passed = f"{found.boxes_passed_over} more {_are(found.boxes_passed_over)} passed over"
    unlisted = found.pictures_without_annotation
    lines = [
        f"{printable(found.bundle)}  {found.variant}: {PICTURES.counted(found.pictures)}",
        f"{counted(found.boxes, 'true box', 'true boxes')}; {passed}",
        _missed_and_false(found),
        _mean_precision(found),
    ]
    if rows:
        lines += [
            "",
            *_table(rows, manifest, ["AP50", "AP50-95"]),
            "recall and precision with counts and the exact 95 % interval",
        ]
    if unlisted:
        lines.insert(2, f"{PICTURES.counted(unlisted)} without annotation {_are(unlisted)} not looked at")
    return "\n".join(lines)


def _missed_and_false(found: BoxEvaluation) -> str:
    missed, false = sum(label.missed for label in found.labels), sum(label.false for label in found.labels)
    return f"at threshold {missed} {_are(missed)} missed, and {counted(false, 'box is', 'boxes are')} false"


def _are(n: int) -> str:
    return "is" if n == 1 else "are"


def _mean_precision(found: BoxEvaluation) -> str:
    if found.map50 is None or found.map50_95 is None:
        return "mAP50 none, mAP50-95 none: there is no true box that counts"
    return f"mAP50 {found.map50:.4f}{_between(found)}, mAP50-95 {found.map50_95:.4f}"


def _between(found: BoxEvaluation) -> str:
    if found.map50_low is None:
        return ""
    return f" (~95 %: {found.map50_low:.3f}-{found.map50_high:.3f} by resampling pictures)"


def _confusions(matrix: ConfusionMatrix | None) -> list[str]:
    """The most frequent mistakes, below everything else."""
    mistakes = [] if matrix is None else most_confused(matrix, _MOST_CONFUSED)
    if not mistakes:
        return []
    rows = [[item.label, item.decided, str(item.n)] for item in mistakes]
    return ["", "most frequent mistakes", text_table(["is", "taken for", "n"], rows, numbers=[2])]


def _precisions(label: BoxLabelReport) -> tuple[float | None, float | None]:
    return label.ap50, label.ap50_95


def _label_table(labels: list[LabelReport], manifest: Manifest) -> list[str]:
    rows = [
        _Row(label.label, label.threshold, label.recall, label.precision, [_number(label.auc), _about(label)])
        for label in labels
    ]
    return [
        *_table(rows, manifest, ["AUC", "~95 %"]),
        "recall and precision with counts and the exact 95 % interval; that of the AUC",
        "is approximate, from as many with the label as recall is of, and all others",
    ]


class _Row(NamedTuple):
    """Figures of one label, and what else is told of it."""

    label: str
    threshold: float | None  # None where the highest label counts
    recall: ShareReport
    precision: ShareReport
    more: list[str]


def _table(rows: Sequence[_Row], manifest: Manifest, more: list[str]) -> list[str]:
    """What counts, and a table that fits 80 columns where names have their usual length."""
    exclusive = isinstance(manifest.outputs[0], ClassesOutput) and manifest.classes.exclusive
    each = not exclusive and len({row.threshold for row in rows}) > 1  # else it is said once
    headings = ["label", *(["from"] if each else []), "recall", "95 %", "precision", "95 %", *more]
    widest = [max((len(_count(share)) for share in shares), default=0) for shares in _shares(rows)]
    cells = [
        [
            row.label,
            *([f"{row.threshold:g}"] if each else []),
            *_share(row.recall, widest[0]),
            *_share(row.precision, widest[1]),
            *row.more,
        ]
        for row in rows
    ]
    table = text_table(headings, cells, numbers=range(1, len(headings)))
    return [_what_counts(rows, manifest, exclusive=exclusive, each=each), table]


def _shares(rows: Sequence[_Row]) -> tuple[list[ShareReport], list[ShareReport]]:
    return [row.recall for row in rows], [row.precision for row in rows]


def _what_counts(rows: Sequence[_Row], manifest: Manifest, *, exclusive: bool, each: bool) -> str:
    if exclusive:
        return "labels exclude each other: the highest counts, whatever its score"
    start = "its threshold" if each or not rows else f"{rows[0].threshold:g}"
    line = f"a label counts from {start}"
    without = [row.label for row in rows if row.label not in manifest.thresholds]
    if not without or not manifest.thresholds:
        return line
    named = ", ".join(without[:_MOST_NAMED]) + (", ..." if len(without) > _MOST_NAMED else "")
    return f"{line}\nwithout a rule, so judged here and never told by run or predict: {named}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _about(label: LabelReport) -> str:
    return "" if label.auc_low is None else f"{label.auc_low:.2f}-{label.auc_high:.2f}"


def _event_table(events: list[EventReport]) -> str:
    headings = ["label", "false alarms", "in hours", "a day, at most", "with label", "in hours"]
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
    table = text_table(headings, rows, numbers=range(1, 6))
    return f"{table}\nat most: the exact upper 95 % bound; with label: where it is to be heard"


def _share(share: ShareReport, width: int) -> list[str]:
    if share.value is None:
        return ["none", ""]
    return [f"{share.value:.3f} {_count(share):>{width}}", f"{share.low:.2f}-{share.high:.2f}"]


def _count(share: ShareReport) -> str:
    return f"{share.hits}/{share.n}"


def _whole_share(share: ShareReport) -> str:
    if share.value is None:
        return "none"
    return f"{share.value:.3f} ({share.hits}/{share.n}, {share.low:.3f}-{share.high:.3f})"
