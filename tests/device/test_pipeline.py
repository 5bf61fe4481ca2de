"""Sound becomes events, live as in replay, and what was not inspected is never a negative."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_bundle import LABELS, RATE, STEP, WINDOW, audio_input, tiny_bundle, tone, tone_rule

from device.coverage import CoverageCounter, Covered
from device.pipeline import Pipeline
from edge_sdk.contract.manifest import ClassesOutput
from edge_sdk.contract.values import (
    Array,
    AudioBlock,
    End,
    Event,
    Float32Array,
    Gap,
    SourceItem,
    WindowScores,
)
from edge_sdk.errors import BackendError, MissingExtraError, SourceError, UsageError
from edge_sdk.inference import open as open_module
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.scorer import AudioScorer

if TYPE_CHECKING:
    from typing_extensions import Self

MADE = tiny_bundle(("tflite-float32", "onnx-float32"))
QUIET = np.zeros(RATE, dtype=np.float32)
# A second each: low, nothing, high, nothing, low.
SOUND = np.concatenate([tone(300, 1.0), QUIET, tone(2_500, 1.0), QUIET, tone(400, 1.0)])


@pytest.fixture
def pipeline() -> Pipeline:
    return Pipeline.open(MADE.bundle())


SHARED = Pipeline.open(MADE.bundle())


def played(pipeline: Pipeline, items: list[SourceItem]) -> list[Event]:
    return [event for item in items for event in pipeline.push(item)]


def blocks(sound: Float32Array, cuts: list[int], rate_hz: int = RATE) -> list[SourceItem]:
    return [*(AudioBlock(part, rate_hz) for part in np.split(sound, sorted(cuts))), End()]


def lives(events: list[Event]) -> list[tuple[str, str, int, int, str | None]]:
    return [(event.type, event.label_id, event.start, event.stop, event.end_reason) for event in events]


# --- events ---


def test_tones_become_events_with_beginning_and_end(pipeline: Pipeline) -> None:
    ends = [event for event in played(pipeline, blocks(SOUND, [])) if event.type == "end"]
    assert [(event.label_id, event.end_reason) for event in ends] == [
        ("low", "silence"),
        ("high", "silence"),
        ("low", "source_ended"),
    ]
    for event, begin_s in zip(ends, (0, 2, 4), strict=True):
        assert abs(event.start / RATE - begin_s) <= WINDOW / RATE
        assert abs(event.stop / RATE - (begin_s + 1)) <= WINDOW / RATE
        assert event.score >= event.threshold


@given(cuts=st.lists(st.integers(0, len(SOUND)), max_size=20))
def test_events_do_not_depend_on_the_blocks(cuts: list[int]) -> None:
    SHARED.begin_source()
    whole = played(SHARED, blocks(SOUND, []))
    SHARED.begin_source()
    assert played(SHARED, blocks(SOUND, cuts)) == whole


@given(cuts=st.lists(st.integers(0, 5 * 44_100), max_size=8))
def test_events_of_resampled_sound_do_not_depend_on_the_blocks(cuts: list[int]) -> None:
    sound = np.concatenate([tone(hz, 1.0, rate_hz=44_100) for hz in (300, 2_500, 2_600, 500, 400)])
    SHARED.begin_source()
    whole = played(SHARED, blocks(sound, [], 44_100))
    SHARED.begin_source()
    assert played(SHARED, blocks(sound, cuts, 44_100)) == whole
    assert [event.label_id for event in whole if event.type == "new"] == ["low", "high", "low"]


def test_another_source_begins_at_zero(pipeline: Pipeline) -> None:
    first = played(pipeline, blocks(SOUND, []))
    pipeline.begin_source()
    assert pipeline.position == 0
    assert pipeline.covered == Covered(0, 0, {})
    assert played(pipeline, blocks(SOUND, [])) == first


def test_stop_closes_what_is_open(pipeline: Pipeline) -> None:
    events = played(pipeline, [AudioBlock(tone(300, 1.0), RATE)])
    assert [event.type for event in events] == ["new"]
    assert [event.label_id for event in pipeline.open_events] == ["low"]
    (end,) = played(pipeline, [End("stopped")])
    assert (end.end_reason, end.start) == ("stopped", events[0].start)
    assert pipeline.open_events == ()


def test_scores_are_told_window_by_window() -> None:
    told: list[WindowScores] = []
    with Pipeline.open(MADE.bundle(), "onnx-float32", on_scores=told.append) as pipeline:
        played(pipeline, blocks(SOUND, [1_000]))
        assert pipeline.variant is not None
        assert pipeline.variant.name == "onnx-float32"
    assert [window.start for window in told] == list(range(0, len(SOUND) - WINDOW + 1, STEP))


def test_sound_is_inspected_to_its_last_sample_before_a_gap_and_at_the_end(pipeline: Pipeline) -> None:
    """As of a recorder that sleeps between files whose lengths are no whole number of steps."""
    sounds = [tone(300, seconds) for seconds in (1.03, 0.57, 2.0)]
    items: list[SourceItem] = []
    for sound in sounds:
        items += [AudioBlock(sound, RATE), Gap(3 * RATE, RATE, "not_contiguous")]
    played(pipeline, [*items[:-1], End()])
    heard, slept = sum(map(len, sounds)), 6 * RATE
    assert pipeline.covered == Covered(heard, heard + slept, {"not_contiguous": 2})


# --- gaps ---


def test_event_goes_on_over_a_short_gap_and_is_lost_in_a_long_one(pipeline: Pipeline) -> None:
    sound = AudioBlock(tone(300, 1.0), RATE)
    events = played(
        pipeline, [sound, Gap(800, RATE, "overrun"), sound, Gap(RATE, RATE, "overrun"), sound, End()]
    )
    assert [(event.type, event.end_reason) for event in events] == [
        ("new", None),
        ("end", "source_lost"),
        ("new", None),
        ("end", "source_ended"),
    ]
    assert events[1].stop == 2 * RATE + 800
    assert events[2].start == 3 * RATE + 800


def test_gap_that_rounds_to_nothing_is_not_one_of_unknown_length(pipeline: Pipeline) -> None:
    sound = AudioBlock(tone(300, 1.0), RATE)
    assert [e.type for e in played(pipeline, [sound, Gap(1, 48_000, "overrun"), sound])] == ["new"]
    assert [e.end_reason for e in played(pipeline, [Gap(0, RATE, "not contiguous")])] == ["source_lost"]


def test_gap_lowers_coverage_by_what_no_window_saw(pipeline: Pipeline) -> None:
    played(pipeline, [AudioBlock(tone(300, 1.0), RATE), Gap(RATE, RATE, "overrun")])
    assert pipeline.covered == Covered(RATE, 2 * RATE, {"overrun": 1})
    played(pipeline, [AudioBlock(QUIET[:100], RATE), Gap(100, RATE, "overrun"), AudioBlock(QUIET, RATE)])
    assert pipeline.covered == Covered(2 * RATE, 3 * RATE + 200, {"overrun": 2})


# --- faults ---


class FailingBackend:
    """A real engine that fails on the runs it is told to."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.inputs, self.outputs = backend.inputs, backend.outputs
        self.runs = 0
        self.fails_on: set[int] = set()

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        self.runs += 1
        if self.runs in self.fails_on:
            raise BackendError("the delegate gave up", hint="restart it")
        return self._backend.infer(tensors)

    def close(self) -> None:
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


@pytest.fixture
def failing() -> FailingBackend:
    variant = MADE.manifest.variants[0]
    return FailingBackend(open_module.open_backend(MADE.members[variant.file], variant.format))


def pipeline_with(backend: Backend) -> Pipeline:
    scorer = AudioScorer(audio_input(), ClassesOutput(), LABELS, backend)
    return Pipeline(scorer, {"low": tone_rule()}, backend=backend, max_faults_in_a_row=5)


def test_window_that_failed_is_counted_reported_and_not_inspected(
    failing: FailingBackend, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = pipeline_with(failing)
    failing.fails_on = set(range(2, 5))
    sound = tone(300, 1.0)[: WINDOW + 3 * STEP]
    with caplog.at_level(logging.WARNING, logger="device.pipeline"):
        assert played(pipeline, [AudioBlock(sound, RATE)]) == []
    assert pipeline.covered == Covered(WINDOW, WINDOW + 3 * STEP, {"inference": 3})
    assert "sample 800 was not inspected: the delegate gave up" in caplog.text


def test_event_goes_on_over_a_window_that_failed(failing: FailingBackend) -> None:
    pipeline = pipeline_with(failing)
    failing.fails_on = {4, 5}
    events = played(pipeline, blocks(tone(300, 2.0), []))
    assert [event.type for event in events] == ["new", "end"]
    assert events[1].stop == 2 * RATE


def test_event_is_lost_not_silent_when_windows_fail_for_longer_than_min_gap(
    failing: FailingBackend,
) -> None:
    pipeline = pipeline_with(failing)
    failing.fails_on = {5, 6, 7, 8}
    (end, *_) = [e for e in played(pipeline, blocks(tone(300, 2.0), [])) if e.type == "end"]
    assert end.end_reason == "source_lost"


def test_faults_in_a_row_are_raised_after_what_was_decided_before(failing: FailingBackend) -> None:
    pipeline = pipeline_with(failing)
    failing.fails_on = set(range(4, 100))
    events: list[Event] = []
    with pytest.raises(
        BackendError, match="5 windows in a row could not be inspected: the delegate"
    ) as caught:
        events.extend(pipeline.push(AudioBlock(tone(300, 3.0), RATE)))
    assert caught.value.hint == "restart it"
    assert [event.type for event in events] == ["new", "end"]


def test_faults_with_good_windows_between_them_are_not_raised(failing: FailingBackend) -> None:
    pipeline = pipeline_with(failing)
    failing.fails_on = set(range(1, 1_000)) - set(range(5, 1_000, 5))
    played(pipeline, blocks(tone(300, 3.0), []))
    assert pipeline.covered.faults["inference"] > 5


def test_sample_that_is_no_number_stops_the_pipeline(pipeline: Pipeline) -> None:
    with pytest.raises(SourceError, match="sample 3 of a block"):
        played(pipeline, [AudioBlock(np.array([0, 0, 0, np.nan], dtype=np.float32), RATE)])


# --- coverage ---


@given(starts=st.lists(st.integers(0, 300), max_size=30))
def test_inspected_is_the_union_of_the_windows(starts: list[int]) -> None:
    counter = CoverageCounter()
    seen = np.zeros(1_000, dtype=bool)
    for start in sorted(starts):
        counter.inspected(start, start + 100)
        seen[start : start + 100] = True
    assert counter.total(1_000).inspected == int(seen.sum())


def test_reports_add_up_to_the_total(pipeline: Pipeline) -> None:
    taken: list[Covered] = []
    for item in [*blocks(SOUND, [7_777, 20_000])[:-1], Gap(500, RATE, "overrun"), AudioBlock(SOUND, RATE)]:
        played(pipeline, [item])
        taken.append(pipeline.take_coverage())
    total = pipeline.covered
    assert sum(part.inspected for part in taken) == total.inspected
    assert sum(part.elapsed for part in taken) == total.elapsed == pipeline.position
    assert [dict(part.faults) for part in taken] == [{}, {}, {}, {"overrun": 1}, {}]
    assert pipeline.take_coverage() == Covered(0, 0, {})


def test_no_more_is_inspected_than_passed(pipeline: Pipeline) -> None:
    for _ in range(50):
        played(pipeline, [AudioBlock(np.zeros(11_025, dtype=np.float32), 11_025), Gap(1, 11_025, "overrun")])
        assert pipeline.covered.inspected <= pipeline.covered.elapsed


# --- which variant ---


def test_unknown_variant_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="no variant 'int4'") as caught:
        Pipeline.open(MADE.bundle(), "int4")
    assert caught.value.hint == "it has: tflite-float32, onnx-float32"


def test_first_variant_whose_engine_is_installed_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_module.choose_variant(MADE.manifest).name == "tflite-float32"
    monkeypatch.setattr(open_module, "engine_installed", lambda engine: engine == "onnx")
    assert open_module.choose_variant(MADE.manifest).name == "onnx-float32"
    monkeypatch.setattr(open_module, "engine_installed", lambda engine: False)
    with pytest.raises(MissingExtraError, match="ai_edge_litert"):
        open_module.choose_variant(MADE.manifest)


# --- a real recording ---


def test_recorded_chainsaw_is_heard_the_same_in_one_piece_and_in_many(shared_data: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    path = shared_data / "audio" / "freedoom" / "dssawidl.wav"
    samples, rate_hz = soundfile.read(path, dtype="float32")
    SHARED.begin_source()
    whole = played(SHARED, blocks(samples, [], rate_hz))
    SHARED.begin_source()
    assert played(SHARED, blocks(samples, list(range(0, len(samples), 997)), rate_hz)) == whole
    assert whole
