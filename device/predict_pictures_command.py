"""``edge-sdk predict`` with a bundle that looks: what it sees in pictures and videos."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_sdk.console.foreign_text import printable
from edge_sdk.console.progress import Progress, SilentProgress, make_progress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.values import Frame
from edge_sdk.errors import InputError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.image.video_file import VideoFile, is_video
from edge_sdk.inference.fallback import Opened

from .inference_settings import InferenceSettings
from .model_choice import open_as_asked
from .picture_report import FrameReport, PictureLooker, PictureReport
from .predict_document import LABELS_TOLD, PredictDocument
from .saved_pictures import SavedPictures
from .sources.picture_files import find_pictures

__all__ = ["predict_pictures"]


def predict_pictures(bundle: Bundle, settings: InferenceSettings, arguments: argparse.Namespace) -> int:
    """Run a bundle on pictures and videos.

    Args:
        bundle: Verified.
        settings: How it runs.
        arguments: Of the verb: see :mod:`.predict_command`.

    Returns:
        0, or 1 where a file could not be used; the others are told all the same.

    Raises:
        UsageError: Nothing is at one of the paths, no picture is in one of the folders, or drawn
            pictures cannot be written where they should be.
    """
    paths = [path for given in arguments.files for path in find_pictures(given)]
    saved = None if arguments.save is None else SavedPictures(arguments.save, arguments.files, paths)
    told_at_once = not arguments.json and not arguments.summary
    progress = SilentProgress() if told_at_once else make_progress()
    with contextlib.ExitStack() as finish:
        opened = open_as_asked(bundle, settings)
        finish.callback(opened.backend.close)
        looker = PictureLooker(
            bundle, opened=opened, top=arguments.top or LABELS_TOLD, threshold=arguments.threshold
        )
        document = finish.enter_context(PredictDocument("frames")) if arguments.json else None
        if document is None:
            print(_headline(looker, opened, marks=not arguments.summary))
        seer = _Seer(looker, arguments, saved, progress, document)
        failed = [seer.see(path).error is not None for path in progress.track(paths, "looking at pictures")]
        if document is not None:
            document.write(_head(looker, bundle, settings, opened), sys.stdout)
    return 1 if any(failed) else 0


@dataclass
class _Tally:
    """What has been seen in one file so far."""

    width: int = 0
    height: int = 0
    n: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    peaks: dict[str, float] = field(default_factory=dict)

    def add(self, told: FrameReport) -> None:
        self.n += 1
        scores = {label_id: told.scores[label_id] for label_id in told.over_threshold}
        for box in told.boxes:
            scores[box.label] = max(box.score, scores.get(box.label, 0.0))
        self.seen.update(set(told.over_threshold) | {box.label for box in told.boxes})
        for label_id, score in scores.items():
            self.peaks[label_id] = max(score, self.peaks.get(label_id, 0.0))


class _Seer:
    """Looks at one file after the other, and tells of each as the arguments say."""

    def __init__(
        self,
        looker: PictureLooker,
        arguments: argparse.Namespace,
        saved: SavedPictures | None,
        progress: Progress,
        document: PredictDocument | None,
    ) -> None:
        self._looker = looker
        self._document = document
        self._summary: bool = arguments.summary
        self._every: int = arguments.every or 1
        self._saved = saved
        self._progress = progress

    def see(self, path: Path) -> PictureReport:
        """Look at one file; one that is bad, or breaks off, is a report with an error."""
        if self._document is None:
            print(printable(str(path)))
        else:
            self._document.begin_file(str(path))
        tally = _Tally()
        problem: InputError | None = None
        with contextlib.ExitStack() as finish:
            try:
                self._look(path, tally, finish)
            except InputError as error:
                problem = error
                print(f"error: {printable(str(error), lines=True)}", file=sys.stderr)
        report = PictureReport(
            file=str(path),
            error=None if problem is None else problem.message,
            hint=None if problem is None else problem.hint,
            width=tally.width,
            height=tally.height,
            frames_seen=tally.n,
            seen=dict(sorted(tally.seen.items())),
            peaks=tally.peaks,
            saved=None if self._saved is None or not tally.n else str(self._saved.target(path)),
        )
        if self._document is None:
            _print_summary(report, video=is_video(path), summary=self._summary)
        else:
            self._document.end_file(report)
        return report

    def _look(self, path: Path, tally: _Tally, finish: contextlib.ExitStack) -> None:
        write = None if self._saved is None else finish.enter_context(self._saved.writing(path))
        for frame, time_s in self._frames(path):
            tally.height, tally.width = frame.pixels.shape[:2]
            told, draw = self._looker.look(frame, time_s)
            tally.add(told)
            if not self._summary:
                self._tell(told)
            if write is not None:
                write(draw(), self._rate_hz)

    def _tell(self, told: FrameReport) -> None:
        if self._document is None:
            _print_frame(told)
        else:
            self._document.add(told)

    def _frames(self, path: Path) -> Iterator[tuple[Frame, float | None]]:
        """The frames to look at, each with its time in a video."""
        self._rate_hz: float | None = None
        if not is_video(path):
            yield Frame(read_picture(path)), None
            return
        with VideoFile.open(path) as video:
            rate_hz = video.frame_rate_hz
            self._rate_hz = None if rate_hz is None else rate_hz / self._every
            for frame in video.frames():
                if video.frame_count:
                    self._progress.within(min(1.0, (frame.index + 1) / video.frame_count))
                if frame.index % self._every == 0:
                    yield frame, None if frame.time_s is None else round(frame.time_s, 3)


def _headline(looker: PictureLooker, opened: Opened, *, marks: bool) -> str:
    manifest = looker.manifest
    marked = "* " if marks and manifest.task != "detect" else ""
    return f"{manifest.name} {manifest.version}, {opened.choice}; {marked}{looker.counting.sentence()}"


def _print_frame(told: FrameReport) -> None:
    when = "" if told.time_s is None else f"{told.time_s:9.3f} s"
    for label_id, score in told.scores.items():
        mark = "*" if label_id in told.over_threshold else " "
        print(f"{when}  {mark} {score:.3f}  {label_id}")
    width = max((len(box.label) for box in told.boxes), default=0)
    for box in told.boxes:
        corners = " ".join(f"{corner:4.0f}" for corner in box.box)
        print(f"{when}  {box.score:.3f}  {box.label:<{width}}  [{corners}]")


def _print_summary(report: PictureReport, *, video: bool, summary: bool) -> None:
    if not report.frames_seen:
        return
    size = f"{report.width}x{report.height}"
    if video:
        frames = "1 frame" if report.frames_seen == 1 else f"{report.frames_seen} frames"
        print(f"  {size}, {frames}{'' if report.seen else '; nothing counts'}")
    elif summary or not report.seen:
        print(f"  {size}{'' if report.seen else '; nothing counts'}")
    if video or summary:
        for label_id, n in sorted(report.seen.items(), key=lambda item: -report.peaks[item[0]]):
            frames = f" in {n} frame{'s' if n > 1 else ''}" if video else ""
            print(f"  {report.peaks[label_id]:.3f}  {label_id}{frames}")
    if report.saved is not None:
        print(f"  drawn: {printable(report.saved)}")


def _head(
    looker: PictureLooker, bundle: Bundle, settings: InferenceSettings, opened: Opened
) -> dict[str, Any]:
    """What of the document is not about one file."""
    manifest, counting = looker.manifest, looker.counting
    return {
        "bundle": {"name": manifest.name, "version": manifest.version, "sha256": bundle.sha256},
        "variant": looker.variant.name,
        "backend": opened.choice.backend,
        "settings": settings.document(),
        "task": manifest.task,
        "counts": "highest" if counting.highest else "from_threshold",
        "thresholds": counting.thresholds,
    }
