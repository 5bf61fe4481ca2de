"""A bundle on labelled recordings: figures per clip, and events on long recordings.

A clip's score for a label is the highest of its windows. Recordings longer than
:data:`LONG_RECORDING_S` also go through the event rules: an event of a label that the recording does
not have is a false alarm, and its length counts as time in which none should have come.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from msgspec import Struct

from edge_sdk.console.foreign_text import valid_text
from edge_sdk.console.progress import Progress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Manifest
from edge_sdk.contract.values import Float32Array, WindowScores
from edge_sdk.decode.event_rule import EventRules
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.scorer import AudioScorer
from edge_sdk.metrics.events import EventCount

from ..data.clip_windows import clip_windows
from ..data.dataset import Clip, Dataset, read_dataset
from ..data.nouns import RECORDINGS
from ..proof.class_figures import ClassFigures
from ..proof.evidence import repeated_samples
from ..report.confusion import ConfusionMatrix
from ..report.report_file import LabelReport, ShareReport, share_report

__all__ = ["LONG_RECORDING_S", "EventReport", "SoundEvaluation", "evaluate_sound"]

LONG_RECORDING_S = 30.0

_SECONDS_AN_HOUR = 3600.0


class EventReport(Struct, frozen=True, kw_only=True):
    """Events of one label on long recordings.

    Attributes:
        false_alarms: Events where the label was not to be heard ...
        hours: ... in so much sound.
        per_hour_at_most: Upper 95 % bound of their rate (exact, Poisson); null without such sound.
        per_day_at_most: The same for a day.
        events_with_label: Events in recordings that have the label ...
        hours_with_label: ... in so much sound.
    """

    label: str
    false_alarms: int
    hours: float
    per_hour_at_most: float | None
    per_day_at_most: float | None
    events_with_label: int
    hours_with_label: float


class SoundEvaluation(Struct, frozen=True, kw_only=True):
    """What recordings say about a bundle that listens.

    Attributes:
        exact: Recordings that are right in every label that the set has; where it is background
            alone, in every label that alerts. Of labels that exclude each other, out of the recordings
            that have one.
        labels: Figures for each of those labels.
        confusion: Which label is taken for which; null where they do not exclude each other.
        long_recordings: How many recordings the events are from.
        events: For each label with an event rule; empty without long recordings.
    """

    bundle: str
    sha256: str
    variant: str
    clips: int
    windows: int
    exact: ShareReport
    labels: list[LabelReport]
    confusion: ConfusionMatrix | None
    long_recordings: int
    events: list[EventReport]


def evaluate_sound(
    bundle: Bundle, variant: str, recordings: Path, backend: Backend, progress: Progress
) -> SoundEvaluation:
    """Score a bundle that listens on labelled recordings.

    Args:
        bundle: The bundle.
        variant: Which variant the backend is.
        recordings: A folder of labelled recordings: see :mod:`converters.data.dataset`.
        backend: The variant, loaded.
        progress: Told how far the work is.

    Raises:
        DatasetError: The recordings cannot be used.
        BackendError: The variant cannot be run here.
    """
    manifest = bundle.manifest
    dataset = read_dataset(recordings, manifest.label_ids, progress=progress)
    for note in repeated_samples(dataset, RECORDINGS):
        progress.step(note)
    scorer = AudioScorer(manifest.audio, manifest.classes, manifest.label_ids, backend)
    tally = _Tally(manifest, dataset)
    for index, clip in enumerate(progress.track(dataset.clips, "evaluating")):
        tally.add(index, clip, map(scorer.score, clip_windows(scorer, clip, progress)))
    return tally.result(bundle, variant)


class _Tally:
    """Counts while recordings are heard, so that memory does not grow with their length."""

    def __init__(self, manifest: Manifest, dataset: Dataset) -> None:
        self._manifest = manifest
        self._dataset = dataset
        self._figures = ClassFigures(
            dataset,
            manifest.thresholds,
            exclusive=manifest.classes.exclusive,
            otherwise=tuple(manifest.rules),
        )
        self._clips: Float32Array = np.zeros((len(dataset.clips), len(manifest.labels)), dtype=np.float32)
        self._windows = 0
        self._long = 0
        self._events = {label_id: [0, 0.0, 0, 0.0] for label_id in manifest.rules}

    def add(self, index: int, clip: Clip, windows: Iterable[WindowScores]) -> None:
        """Take one recording's windows, in order."""
        rules = EventRules(self._manifest.rules)
        opened: list[str] = []
        for window in windows:
            self._windows += 1
            np.maximum(self._clips[index], list(window.scores.values()), out=self._clips[index])
            opened += [event.label_id for event in rules.push(window) if event.type == "new"]
        if clip.duration_s > LONG_RECORDING_S:
            self._count_events(clip, opened)

    def result(self, bundle: Bundle, variant: str) -> SoundEvaluation:
        """All figures."""
        return SoundEvaluation(
            bundle=valid_text(str(bundle.path)),
            sha256=bundle.sha256,
            variant=variant,
            clips=len(self._dataset.clips),
            windows=self._windows,
            exact=share_report(self._figures.right(self._clips)),
            labels=self._figures.labels(self._clips),
            confusion=self._figures.confusion(self._clips),
            long_recordings=self._long,
            events=[_event_report(count) for count in self._counts()] if self._long else [],
        )

    def _count_events(self, clip: Clip, opened: list[str]) -> None:
        self._long += 1
        for label_id, counts in self._events.items():
            first = 2 if label_id in clip.labels else 0
            counts[first] += opened.count(label_id)
            counts[first + 1] += clip.duration_s / _SECONDS_AN_HOUR

    def _counts(self) -> Iterator[EventCount]:
        for label_id, (events, hours, events_with, hours_with) in self._events.items():
            yield EventCount(label_id, int(events), hours, int(events_with), hours_with)


def _event_report(count: EventCount) -> EventReport:
    known = math.isfinite(count.per_hour_at_most)
    return EventReport(
        label=count.label_id,
        false_alarms=count.events,
        hours=count.hours,
        per_hour_at_most=count.per_hour_at_most if known else None,
        per_day_at_most=count.per_day_at_most if known else None,
        events_with_label=count.events_with_label,
        hours_with_label=count.hours_with_label,
    )
