"""``edge-sdk predict BUNDLE FILE...``: what a bundle hears in recordings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge_sdk.console.arguments import at_least_one
from edge_sdk.console.foreign_text import printable
from edge_sdk.console.progress import SilentProgress, make_progress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.thread_argument import add_threads_argument

from .predict_document import PredictDocument
from .recording_report import RecordingPredictor, RecordingReport, WindowReport
from .sources.recordings import find_recordings, is_folder

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .edge file")
    parser.add_argument(
        "recordings", type=Path, nargs="+", metavar="FILE", help="WAV, FLAC or OGG files, or folders of them"
    )
    parser.add_argument("--variant", metavar="V", help="by default the first whose engine is installed")
    add_threads_argument(parser)
    parser.add_argument(
        "--channel",
        type=at_least_one,
        metavar="N",
        help="counted from 1; by default the mean of all channels",
    )
    parser.add_argument("--top", type=at_least_one, default=5, metavar="N", help="labels to tell of each")
    parser.add_argument("--summary", action="store_true", help="leave the single windows out")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Run the bundle on recordings.

    Returns:
        0, or 1 where a recording could not be used; the others are told all the same.

    Raises:
        UsageError: Nothing is at one of the paths, or no recording in one of the folders.
    """
    bundle = Bundle.open(arguments.bundle)
    paths = [path for given in arguments.recordings for path in _recordings(given)]
    document = PredictDocument() if arguments.json else None
    tell_window = document.add_window if document else _print_window
    # Windows that are printed as they come show how far it is.
    progress = SilentProgress() if not document and not arguments.summary else make_progress()
    predictor = RecordingPredictor(
        bundle,
        arguments.variant,
        threads=arguments.threads,
        top=arguments.top,
        on_window=None if arguments.summary else tell_window,
        progress=progress,
    )
    any_failed = False
    with predictor.pipeline:
        for path in progress.track(paths, "hearing recordings"):
            if document is None:
                print(printable(str(path)))
            report = predictor.predict(path, arguments.channel)
            if report.error is not None:
                any_failed = True
                print(f"error: {printable(report.error, lines=True)}", file=sys.stderr)
            if document is None:
                _print_report(report)
            else:
                document.end_recording(report)
        if document is not None:
            document.write(_head(bundle, predictor), sys.stdout)
    return 1 if any_failed else 0


def _recordings(given: Path) -> list[Path]:
    return find_recordings(given) if is_folder(given) else [given]


def _print_window(window: WindowReport) -> None:
    level = "-inf" if window.level_dbfs is None else f"{window.level_dbfs:.1f}"
    scores = "  ".join(f"{label_id} {score:.3f}" for label_id, score in window.scores.items())
    print(f"  {window.start_s:9.3f} - {window.stop_s:9.3f} s  {level:>6} dBFS  {scores}")


def _print_report(report: RecordingReport) -> None:
    peaks = "  ".join(f"{label_id} {score:.3f}" for label_id, score in report.peaks.items())
    print(f"  inspected {report.inspected_s:.3f} of {report.elapsed_s:.3f} s; highest: {peaks or 'nothing'}")
    if report.filled_s:
        print(f"  shorter than a window: {report.filled_s:.3f} s of silence were put behind it")
    for kind, count in report.faults.items():
        print(f"  not inspected: {count} x {kind}")
    for event in report.events:
        print(
            f"  event: {event.label} {event.start_s:.3f} - {event.stop_s:.3f} s, "
            f"score {event.score:.3f} (threshold {event.threshold:g})"
        )
    if not report.events:
        print("  no event")


def _head(bundle: Bundle, predictor: RecordingPredictor) -> dict[str, Any]:
    """What of the document is not about one recording."""
    manifest, variant = bundle.manifest, predictor.pipeline.variant
    return {
        "bundle": {"name": manifest.name, "version": manifest.version, "sha256": bundle.sha256},
        "variant": variant.name if variant else None,
        "sample_rate_hz": manifest.audio.sample_rate_hz,
    }
