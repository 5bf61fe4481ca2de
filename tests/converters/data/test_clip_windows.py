"""Windows cut from recordings, however long these are."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from labelled_sounds import make_sound
from sparse_recording import write_sparse_wav

from converters.data import clip_windows
from converters.data.clip_windows import read_windows
from converters.data.dataset import Clip
from edge_sdk.signal.resample import resample


def clip_of(path: Path, seconds: float) -> Clip:
    return Clip(path.name, path, frozenset(), "0" * 64, seconds)


@pytest.mark.parametrize("rate_hz", [8000, 11025])
@pytest.mark.parametrize("start", [0, 1, 7999, 8000, 12345, 24000])
def test_a_window_is_cut_out_of_the_whole_recording_as_if_that_were_held(
    tmp_path: Path, rate_hz: int, start: int
) -> None:
    sound = make_sound("shot", 4.0 * rate_hz / 8000, np.random.default_rng(3))[: 4 * rate_hz]
    soundfile.write(tmp_path / "a.wav", sound, rate_hz, "FLOAT")
    whole = resample(sound, rate_hz, 8000)
    window = read_windows(clip_of(tmp_path / "a.wav", 4.0), 8000, 8000, [start])[0]
    assert np.array_equal(window, whole[start : start + 8000])


def test_several_windows_are_cut_in_any_order(tmp_path: Path) -> None:
    sound = make_sound("saw", 12.0, np.random.default_rng(4))
    soundfile.write(tmp_path / "a.wav", sound, 8000, "FLOAT")
    starts = [70_000, 100, 39_000, 100, 41_000]
    windows = read_windows(clip_of(tmp_path / "a.wav", 12.0), 8000, 8000, starts)
    for start, window in zip(starts, windows, strict=True):
        assert np.array_equal(window, sound[start : start + 8000])


def test_the_last_window_of_twelve_hours_is_read_in_constant_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_windows, "BLOCK_S", 60.0)  # fewer, to be traced in little time
    seconds, rate_hz, window = 12 * 3600, 500, 2000
    path = write_sparse_wav(tmp_path / "night.wav", seconds, rate_hz)
    tracemalloc.start()
    (samples,) = read_windows(clip_of(path, seconds), 1000, window, [1000 * seconds - window])
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(samples) == window
    assert peak_bytes < 2_000_000
