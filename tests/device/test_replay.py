"""Replay equals live: the same samples give the same events, however they arrive."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import tiny_bundle, tone

from device.pipeline import Pipeline
from device.ring import AudioRing
from device.sources import open_source
from edge_sdk.contract.values import Array, AudioBlock, End, Event, Float32Array, SourceItem

MIDNIGHT = datetime(2019, 5, 22, tzinfo=timezone.utc)
STAGED_RATE_HZ = 22_050

cuts = st.lists(st.floats(0.0, 1.0), max_size=6)
block_sizes = st.lists(st.integers(1, 30_000), max_size=30)
fewer = settings(max_examples=12)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.open(tiny_bundle(("tflite-float32",)).bundle()) as opened:
        yield opened


@pytest.fixture(scope="module")
def soundscape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tones below and above 1 kHz over a trace of noise, at a rate that must be resampled."""
    parts: list[Float32Array] = []
    for frequency_hz, seconds, level in (
        (300, 1.3, 0.3),
        (300, 0.9, 0.0),
        (2_500, 2.1, 0.1),
        (700, 0.4, 0.2),
        (700, 1.7, 0.0),
        (3_000, 0.8, 0.3),
        (400, 2.0, 0.0),
        (400, 3.1, 0.05),
    ):
        parts.append(tone(frequency_hz, seconds, STAGED_RATE_HZ, level))
    path = tmp_path_factory.mktemp("staged") / "soundscape.wav"
    soundfile.write(path, np.concatenate(parts), STAGED_RATE_HZ, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def recordings(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of a real forest, a chainsaw and a dog, as one file at 44.1 kHz."""
    esc10 = shared_data / "audio" / "esc10"
    parts: list[Array] = []
    for name in ("008_Chainsaw", "001_Dog_bark", "008_Chainsaw"):
        clip = sorted((esc10 / name).glob("*.ogg"))[len(parts)]
        samples, rate_hz = soundfile.read(clip, dtype="int16", always_2d=True)
        assert rate_hz == 44_100
        parts.append(samples[:, 0])
    path = tmp_path_factory.mktemp("real") / "recordings.wav"
    soundfile.write(path, np.concatenate(parts), 44_100, subtype="PCM_16")
    return path


def events_of(pipeline: Pipeline, items: Iterable[SourceItem]) -> list[Event]:
    pipeline.begin_source()
    return [event for item in items for event in pipeline.push(item)]


def written_in_segments(path: Path, folder: Path, fractions: list[float]) -> None:
    """The same samples in files that are named by the times at which they begin."""
    samples, rate_hz = soundfile.read(path, dtype="int16")
    edges = sorted({0, len(samples), *(round(fraction * len(samples)) for fraction in fractions)})
    for first, last in pairwise(edges):
        began = MIDNIGHT + timedelta(seconds=first / rate_hz)
        name = began.strftime("BOX_%Y%m%d_%H%M%S_%f.wav")
        soundfile.write(folder / name, samples[first:last], rate_hz, subtype="PCM_16")


def through_ring(samples: Array, rate_hz: int, sizes: list[int]) -> Iterator[SourceItem]:
    """Captured on another thread in blocks of these sizes and a large one, over and over."""
    ring = AudioRing(capacity_s=600.0)

    def capture() -> None:
        position = 0
        while position < len(samples):
            for size in (*sizes, 20_000):
                ring.put(AudioBlock(samples[position : position + size], rate_hz))
                position += size
        ring.put(End())

    thread = threading.Thread(target=capture)
    thread.start()
    yield from ring.items()
    thread.join()


def check_replay(pipeline: Pipeline, path: Path, fractions: list[float], sizes: list[int]) -> None:
    whole = events_of(pipeline, open_source(f"file://{path}").items())
    assert {event.type for event in whole} >= {"new", "end"}
    with tempfile.TemporaryDirectory() as folder:
        written_in_segments(path, Path(folder), fractions)
        assert events_of(pipeline, open_source(folder).items()) == whole
        assert events_of(pipeline, open_source(f"file://{folder}?contiguous=true").items()) == whole
    samples, rate_hz = soundfile.read(path, dtype="float32")
    assert events_of(pipeline, through_ring(samples, rate_hz, sizes)) == whole


@fewer
@given(cuts, block_sizes)
def test_a_staged_soundscape_gives_the_same_events_however_it_arrives(
    pipeline: Pipeline, soundscape: Path, fractions: list[float], sizes: list[int]
) -> None:
    check_replay(pipeline, soundscape, fractions, sizes)


@fewer
@given(cuts, block_sizes)
def test_real_recordings_give_the_same_events_however_they_arrive(
    pipeline: Pipeline, recordings: Path, fractions: list[float], sizes: list[int]
) -> None:
    check_replay(pipeline, recordings, fractions, sizes)
