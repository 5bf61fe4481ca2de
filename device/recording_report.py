"""What a bundle hears in one recording: by window, and for the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_sdk.console.progress import Progress, SilentProgress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.values import AudioBlock, End, Event, Gap, SourceItem, WindowScores
from edge_sdk.errors import AudioError, EdgeSdkError, InputError, SourceError
from edge_sdk.signal.short_recording import silence_after

from .pipeline import Pipeline
from .sources.audio_directory import UNREADABLE
from .sources.audio_file import AudioFileSource

if TYPE_CHECKING:
    from edge_sdk.inference.fallback import Opened

__all__ = ["HeardEvent", "RecordingPredictor", "RecordingReport", "WindowReport"]

# Less is no recording of anything: a click, or a file that was cut off when it began.
_SHORTEST_S = 0.1


class WindowReport(msgspec.Struct, frozen=True, kw_only=True):
    """One window: its best labels, best first. ``level_dbfs`` is null for digital silence."""

    start_s: float
    stop_s: float
    level_dbfs: float | None
    scores: dict[str, float]


class HeardEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event, as it ended."""

    label: str
    start_s: float
    stop_s: float
    score: float
    threshold: float
    end_reason: str | None


class RecordingReport(msgspec.Struct, frozen=True, kw_only=True):
    """One recording.

    Attributes:
        file: Its path, as it was given.
        error: Why it could not be used, or not to its end; what came before holds.
        hint: What can be done about that.
        elapsed_s: Its length, as far as it could be read, with the silence that filled it up.
        inspected_s: What of that lies in a scored window.
        filled_s: Silence that was put after a recording shorter than one window. 0 for others.
        peaks: Highest score of the best labels, best first.
    """

    file: str
    error: str | None
    hint: str | None
    elapsed_s: float
    inspected_s: float
    filled_s: float
    faults: Mapping[str, int]
    peaks: dict[str, float]
    events: list[HeardEvent]


class RecordingPredictor:
    """Runs one variant on recordings, one after the other. A context manager is its pipeline.

    Args:
        bundle: Verified.
        variant: Which variant; by default the first whose engine is installed.
        threads: Threads that one inference may use.
        opened: What runs a variant already, instead of the two before.
        top: How many labels are told of a window and of a file.
        on_window: Called with each window as it was scored. They are not kept: a night has many.
        progress: Told how much of a recording has been heard.
    """

    def __init__(
        self,
        bundle: Bundle,
        variant: str | None = None,
        *,
        threads: int = 1,
        opened: Opened | None = None,
        top: int = 5,
        on_window: Callable[[WindowReport], None] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._top = top
        self._on_window = on_window
        self._progress = progress or SilentProgress()
        self._peaks: dict[str, float] = {}
        self._filled_s = 0.0
        self._window_samples = bundle.manifest.audio.window_samples
        self.pipeline = Pipeline.open(bundle, variant, threads=threads, opened=opened, on_scores=self._take)

    def predict(self, path: Path, channel: int | None = None) -> RecordingReport:
        """Run on one recording.

        Args:
            path: WAV, FLAC or OGG.
            channel: Which channel, counted from 1; ``None`` for the mean of all.

        Returns:
            A report; a recording that is bad, or breaks off, is one with an error.

        Raises:
            MissingExtraError: The library that reads recordings is not installed.
            BackendError: The engine fails on one window after the other.
        """
        self._peaks = {}
        self.pipeline.begin_source()
        self._filled_s = 0.0
        ends: list[Event] = []
        problem: EdgeSdkError | None = None
        try:
            for item in self._filled(AudioFileSource(path, channel=channel)):
                ends += self._ends(item)
        except (InputError, SourceError) as error:
            problem = error
            ends += self._ends(Gap(0, self.pipeline.sample_rate_hz, UNREADABLE))
        if problem is None and self.pipeline.position < self._window_samples:
            problem = self._too_short(path)
        return self._report(path, ends, problem)

    def _filled(self, source: AudioFileSource) -> Iterator[SourceItem]:
        """The items of a recording, and silence behind one that is short, but not next to nothing."""
        heard, source_rate_hz = 0, self.pipeline.sample_rate_hz
        for item in source.items():
            if isinstance(item, AudioBlock):
                heard, source_rate_hz = heard + len(item.samples), item.sample_rate_hz
            if isinstance(item, End) and heard >= _SHORTEST_S * source_rate_hz:
                rate_hz = self.pipeline.sample_rate_hz
                silence = silence_after(heard, source_rate_hz, self._window_samples, rate_hz)
                if silence is not None:
                    self._filled_s = len(silence.samples) / source_rate_hz
                    yield silence
            yield item
            if source.duration_s:
                self._progress.within(min(1.0, heard / source_rate_hz / source.duration_s))

    def _too_short(self, path: Path) -> AudioError:
        seconds = self.pipeline.position / self.pipeline.sample_rate_hz
        return AudioError(f"{path} holds {seconds:.3f} s, less than {_SHORTEST_S:g} s: nothing was scored")

    def _ends(self, item: SourceItem) -> list[Event]:
        return [event for event in self.pipeline.push(item) if event.type == "end"]

    def _take(self, window: WindowScores) -> None:
        for label_id, score in window.scores.items():
            if score > self._peaks.get(label_id, -1.0):
                self._peaks[label_id] = score
        if self._on_window is None:
            return
        rate = self.pipeline.sample_rate_hz
        self._on_window(
            WindowReport(
                start_s=window.start / rate,
                stop_s=window.stop / rate,
                level_dbfs=round(window.level_dbfs, 2) if window.level_dbfs > float("-inf") else None,
                scores=_best(window.scores, self._top),
            )
        )

    def _report(self, path: Path, ends: list[Event], problem: EdgeSdkError | None) -> RecordingReport:
        rate, covered = self.pipeline.sample_rate_hz, self.pipeline.covered
        return RecordingReport(
            file=str(path),
            error=None if problem is None else problem.message,
            hint=None if problem is None else problem.hint,
            elapsed_s=covered.elapsed / rate,
            inspected_s=covered.inspected / rate,
            filled_s=round(self._filled_s, 3),
            faults=covered.faults,
            peaks=_best(self._peaks, self._top),
            events=[_heard(event, rate) for event in ends],
        )


def _best(scores: Mapping[str, float], top: int) -> dict[str, float]:
    ranked = sorted(scores.items(), key=lambda item: -item[1])[:top]
    return {label_id: round(score, 6) for label_id, score in ranked}


def _heard(event: Event, rate_hz: int) -> HeardEvent:
    return HeardEvent(
        label=event.label_id,
        start_s=event.start / rate_hz,
        stop_s=event.stop / rate_hz,
        score=event.score,
        threshold=event.threshold,
        end_reason=event.end_reason,
    )
