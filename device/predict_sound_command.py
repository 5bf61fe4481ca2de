"""``edge-sdk predict`` with a bundle that listens: what it hears in recordings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge_sdk.console.foreign_text import printable
from edge_sdk.console.progress import SilentProgress, make_progress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.fallback import Opened

from .inference_settings import InferenceSettings
from .model_choice import open_as_asked
from .predict_document import LABELS_TOLD, PredictDocument
from .recording_report import RecordingPredictor, RecordingReport, WindowReport
from .sources.named_files import is_folder
from .sources.recordings import find_recordings

__all__ = ["predict_sound"]


def predict_sound(bundle: Bundle, settings: InferenceSettings, arguments: argparse.Namespace) -> int:
    """Run a bundle on recordings.

    Args:
        bundle: Verified.
        settings: How it runs.
        arguments: Of the verb: see :mod:`.predict_command`.

    Returns:
        0, or 1 where a recording could not be used; the others are told all the same.

    Raises:
        UsageError: Nothing is at one of the paths, or no recording in one of the folders.
    """
    paths = [path for given in arguments.files for path in _recordings(given)]
    if not arguments.json:
        return _predict_all(bundle, settings, paths, arguments, None)
    with PredictDocument("windows") as document:
        return _predict_all(bundle, settings, paths, arguments, document)


def _predict_all(
    bundle: Bundle,
    settings: InferenceSettings,
    paths: list[Path],
    arguments: argparse.Namespace,
    document: PredictDocument | None,
) -> int:
    tell_window = document.add if document else _print_window
    # Windows that are printed as they come show how far it is.
    progress = SilentProgress() if not document and not arguments.summary else make_progress()
    opened = open_as_asked(bundle, settings)
    predictor = RecordingPredictor(
        bundle,
        opened=opened,
        top=arguments.top or LABELS_TOLD,
        on_window=None if arguments.summary else tell_window,
        progress=progress,
    )
    any_failed = False
    with predictor.pipeline:
        for path in progress.track(paths, "hearing recordings"):
            _begin(path, document)
            report = predictor.predict(path, arguments.channel)
            if report.error is not None:
                any_failed = True
                print(f"error: {printable(report.error, lines=True)}", file=sys.stderr)
                if report.hint is not None:
                    print(f"hint: {printable(report.hint, lines=True)}", file=sys.stderr)
            if document is None:
                _print_report(report)
            else:
                document.end_file(report)
        if document is not None:
            document.write(_head(bundle, settings, opened), sys.stdout)
    return 1 if any_failed else 0


def _begin(path: Path, document: PredictDocument | None) -> None:
    if document is None:
        print(printable(str(path)))
    else:
        document.begin_file(str(path))


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


def _head(bundle: Bundle, settings: InferenceSettings, opened: Opened) -> dict[str, Any]:
    """What of the document is not about one recording."""
    manifest, choice = bundle.manifest, opened.choice
    return {
        "bundle": {"name": manifest.name, "version": manifest.version, "sha256": bundle.sha256},
        "variant": choice.variant.name,
        "backend": choice.backend,
        "settings": settings.document(),
        "sample_rate_hz": manifest.audio.sample_rate_hz,
    }
