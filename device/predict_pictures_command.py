"""``edge-sdk predict`` with a bundle that looks: what it sees in pictures and videos."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from edge_sdk.console.foreign_text import json_text, printable
from edge_sdk.console.progress import Progress, SilentProgress, make_progress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.values import Frame
from edge_sdk.errors import InputError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.image.video_file import VideoFile, is_video

from .picture_report import FrameReport, PictureLooker, PictureReport
from .saved_pictures import SavedPictures
from .sources.picture_files import find_pictures

__all__ = ["predict_pictures"]


def predict_pictures(bundle: Bundle, arguments: argparse.Namespace) -> int:
    """Run a bundle on pictures and videos.

    Args:
        bundle: Verified.
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
    with PictureLooker(
        bundle,
        arguments.variant,
        threads=arguments.threads,
        top=arguments.top,
        threshold=arguments.threshold,
    ) as looker:
        seer = _Seer(looker, arguments, saved, progress)
        reports = [seer.see(path) for path in progress.track(paths, "looking at pictures")]
        if arguments.json:
            _print_json(looker, bundle, reports)
    return 1 if any(report.error is not None for report in reports) else 0


@dataclass
class _Tally:
    """What has been seen in one file so far."""

    width: int = 0
    height: int = 0
    frames: list[FrameReport] = field(default_factory=list)
    n: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    peaks: dict[str, float] = field(default_factory=dict)

    def add(self, told: FrameReport, *, keep: bool) -> None:
        self.n += 1
        if keep:
            self.frames.append(told)
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
    ) -> None:
        self._looker = looker
        self._as_json: bool = arguments.json
        self._summary: bool = arguments.summary
        self._every: int = arguments.every or 1
        self._saved = saved
        self._progress = progress

    def see(self, path: Path) -> PictureReport:
        """Look at one file; one that is bad, or breaks off, is a report with an error."""
        if not self._as_json:
            print(printable(str(path)))
        tally, problem = _Tally(), None
        with contextlib.ExitStack() as finish:
            try:
                self._look(path, tally, finish)
            except InputError as error:
                problem = str(error)
                print(f"error: {printable(problem, lines=True)}", file=sys.stderr)
        report = PictureReport(
            file=str(path),
            error=problem,
            width=tally.width,
            height=tally.height,
            frames=tally.frames,
            frames_seen=tally.n,
            seen=dict(sorted(tally.seen.items())),
            peaks=tally.peaks,
            saved=None if self._saved is None or not tally.n else str(self._saved.target(path)),
        )
        if not self._as_json:
            _print_summary(report, video=is_video(path), summary=self._summary)
        return report

    def _look(self, path: Path, tally: _Tally, finish: contextlib.ExitStack) -> None:
        write = None if self._saved is None else finish.enter_context(self._saved.writing(path))
        for frame, time_s in self._frames(path):
            tally.height, tally.width = frame.pixels.shape[:2]
            told, draw = self._looker.look(frame, time_s)
            tally.add(told, keep=self._as_json and not self._summary)
            if not self._as_json and not self._summary:
                _print_frame(told)
            if write is not None:
                write(draw(), self._rate_hz)

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


def _print_frame(told: FrameReport) -> None:
    when = "" if told.time_s is None else f"{told.time_s:9.3f} s  "
    for label_id, score in told.scores.items():
        mark = "  over its threshold" if label_id in told.over_threshold else ""
        print(f"  {when}{label_id}  {score:.3f}{mark}")
    for box in told.boxes:
        corners = " ".join(f"{corner:.0f}" for corner in box.box)
        print(f"  {when}{box.label}  {box.score:.3f}  [{corners}]")


def _print_summary(report: PictureReport, *, video: bool, summary: bool) -> None:
    if not report.frames_seen:
        return
    seen = "  ".join(
        f"{label_id} {report.peaks[label_id]:.3f}" + (f" in {n} frames" if video else "")
        for label_id, n in report.seen.items()
    )
    frames = f", {report.frames_seen} frames" if video else ""
    if video or summary or not seen:
        print(f"  {report.width}x{report.height}{frames}; over threshold: {seen or 'nothing'}")
    if report.saved is not None:
        print(f"  drawn: {printable(report.saved)}")


def _print_json(looker: PictureLooker, bundle: Bundle, reports: list[PictureReport]) -> None:
    manifest = looker.manifest
    document = {
        "bundle": {"name": manifest.name, "version": manifest.version, "sha256": bundle.sha256},
        "variant": looker.variant.name,
        "task": manifest.task,
        "files": msgspec.to_builtins(reports),
    }
    print(json_text(document))
