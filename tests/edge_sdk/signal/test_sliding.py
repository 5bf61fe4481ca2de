"""Streaming gives the features of every window as if it were computed alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.audio import LogMel, Waveform
from edge_sdk.contract.values import AudioWindow, Float32Array
from edge_sdk.errors import InputError, UsageError
from edge_sdk.signal.log_mel import LogMelExtractor
from edge_sdk.signal.sliding import SlidingFrontEnd, SlidingLogMel, SlidingWaveform, sliding_front_end

TOLERANCE_DB = 1e-5


def log_mel(rate: int, n_fft: int, hop: int, n_mels: int, **parameters: Any) -> LogMel:
    return LogMel(
        sample_rate_hz=rate,
        n_fft=n_fft,
        hop=hop,
        n_mels=n_mels,
        **{"win_length": n_fft, "fmin_hz": 0.0, "fmax_hz": rate / 2} | parameters,
    )


def push_in_blocks(sliding: SlidingFrontEnd, samples: Float32Array, sizes: list[int]) -> list[AudioWindow]:
    """Push everything, cutting blocks of the given sizes over and over, and end."""
    windows, position, turn = [], 0, 0
    while position < len(samples):
        size = sizes[turn % len(sizes)]
        windows += sliding.push(samples[position : position + size])
        position, turn = position + size, turn + 1
    return windows + sliding.finish()


def starts_of(samples: int, window: int, step: int, rate_hz: int) -> list[int]:
    """Where windows begin: every step, and the last one a window before the end, if 20 ms are left."""
    starts = list(range(0, samples - window + 1, step))
    heard = starts[-1] + window if starts else samples
    return [*starts, samples - window] if samples - heard > rate_hz // 50 else starts


def assert_equals_one_shot(
    windows: list[AudioWindow], front_end: LogMel, samples: Float32Array, window: int, step: int
) -> None:
    assert [found.start for found in windows] == starts_of(
        len(samples), window, step, front_end.sample_rate_hz
    )
    extractor = LogMelExtractor(front_end)
    for found in windows:
        alone = extractor(samples[found.start : found.start + window])
        assert found.features.shape == alone.shape
        assert np.abs(found.features - alone).max() <= TOLERANCE_DB


@pytest.mark.parametrize(
    "db", [{"top_db": None}, {"db_ref": "max"}, {"clip": (-60.0, 0.0), "std": 3.0}], ids=str
)
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize(
    ("size", "window", "step"),
    [
        ((16_000, 512, 160, 64), 16_000, 4_000),
        ((16_000, 512, 160, 64), 32_000, 16_000),
        ((22_050, 2048, 512, 128), 22_050, 5_632),
        ((32_000, 1024, 320, 64), 32_000, 8_000),
        ((48_000, 2048, 512, 128), 48_000, 12_288),
    ],
    ids=str,
)
def test_equals_one_shot(
    *,
    size: tuple[int, int, int, int],
    window: int,
    step: int,
    center: bool,
    db: dict[str, Any],
    forest_like: Float32Array,
) -> None:
    front_end = log_mel(*size, center=center, **db)
    windows = push_in_blocks(SlidingLogMel(front_end, window, step), forest_like, [4_096])
    assert_equals_one_shot(windows, front_end, forest_like, window, step)


@pytest.mark.parametrize(
    ("window", "step"),
    [
        (15_600, 4_000),
        (16_000, 160),  # every hop
        (16_000, 16_000),  # no overlap
        (16_000, 15_840),  # no frame in common, though samples overlap
        (700, 160),  # few frames
        (512, 160),  # one frame
        (300, 160),  # shorter than a frame
    ],
)
@pytest.mark.parametrize("parameters", [{}, {"win_length": 400}, {"layout": "mel_time"}], ids=str)
def test_equals_one_shot_for_odd_windows(
    window: int, step: int, parameters: dict[str, Any], forest_like: Float32Array
) -> None:
    samples = forest_like[90_000 : 90_000 + window + 7 * step]
    front_end = log_mel(16_000, 512, 160, 64, **parameters)
    windows = push_in_blocks(SlidingLogMel(front_end, window, step), samples, [777])
    assert_equals_one_shot(windows, front_end, samples, window, step)


def test_equals_one_shot_with_yamnets_front_end(yamnet_front_end: LogMel, forest_like: Float32Array) -> None:
    windows = push_in_blocks(SlidingLogMel(yamnet_front_end, 15_600, 4_000), forest_like, [1_024])
    assert windows[0].features.shape == (96, 64)
    assert_equals_one_shot(windows, yamnet_front_end, forest_like, 15_600, 4_000)


FRONT_ENDS = st.sampled_from(
    [
        log_mel(16_000, 512, 160, 32),
        log_mel(16_000, 512, 160, 32, center=False, db_ref="max"),
        log_mel(16_000, 400, 160, 32, win_length=320, scale="log", log_offset=1e-3),
        Waveform(sample_rate_hz=16_000),
    ]
)


@given(
    front_end=FRONT_ENDS,
    window=st.integers(400, 4_000),
    hops=st.integers(1, 25),
    sizes=st.lists(st.integers(1, 9_000), min_size=1, max_size=6),
    seed=st.integers(0, 2**16),
)
def test_block_sizes_change_no_bit(
    front_end: LogMel | Waveform, window: int, hops: int, sizes: list[int], seed: int
) -> None:
    step = min(hops, window // 160) * 160
    if front_end == log_mel(16_000, 512, 160, 32, center=False, db_ref="max"):
        window = max(window, 512)
    samples = np.random.default_rng(seed).standard_normal(12_000).astype(np.float32)

    in_one = push_in_blocks(sliding_front_end(front_end, window, step), samples, [len(samples)])
    in_blocks = push_in_blocks(sliding_front_end(front_end, window, step), samples, sizes)

    assert [found.start for found in in_blocks] == [found.start for found in in_one]
    for found, expected in zip(in_blocks, in_one, strict=True):
        np.testing.assert_array_equal(found.features, expected.features)
        assert found.level_dbfs == expected.level_dbfs


def test_a_reset_forgets_everything_and_numbers_on_from_the_gap(forest_like: Float32Array) -> None:
    front_end = log_mel(16_000, 512, 160, 64)
    sliding = SlidingLogMel(front_end, 16_000, 4_000)
    sliding.push(forest_like[:30_001])
    sliding.reset(100_003)
    after = sliding.push(forest_like[60_000:100_000])
    fresh = SlidingLogMel(front_end, 16_000, 4_000).push(forest_like[60_000:100_000])
    assert [found.start for found in after] == [100_003 + expected.start for expected in fresh]
    for found, expected in zip(after, fresh, strict=True):
        np.testing.assert_array_equal(found.features, expected.features)


@pytest.mark.parametrize("step", [1_600, 8_000, 16_000])
def test_the_last_window_ends_with_the_sound_and_comes_once(step: int, forest_like: Float32Array) -> None:
    sliding = SlidingLogMel(log_mel(16_000, 512, 160, 64), 16_000, step)
    extractor = LogMelExtractor(log_mel(16_000, 512, 160, 64))
    assert sliding.push(forest_like[:15_999]) == sliding.finish() == []
    for position in (0, 500_000):  # again, as after a gap
        sliding.reset(position)
        sliding.push(forest_like[:40_523])
        (last,) = sliding.finish()
        assert last.start == position + 40_523 - 16_000
        assert np.abs(last.features - extractor(forest_like[40_523 - 16_000 : 40_523])).max() <= TOLERANCE_DB
        expected = 10 * np.log10(np.mean(np.square(forest_like[40_523 - 16_000 : 40_523], dtype=np.float64)))
        assert last.level_dbfs == pytest.approx(expected, abs=1e-3)
        assert sliding.finish() == []


def test_waveform_windows_are_the_samples(forest_like: Float32Array) -> None:
    sliding = SlidingWaveform(Waveform(sample_rate_hz=48_000), 10_000, 3_000)
    windows = push_in_blocks(sliding, forest_like, [4_096])
    assert [found.start for found in windows] == starts_of(len(forest_like), 10_000, 3_000, 48_000)
    for found in windows:
        np.testing.assert_array_equal(found.features, forest_like[found.start : found.start + 10_000])


def test_windows_stay_as_they_were_when_more_sound_comes(forest_like: Float32Array) -> None:
    for sliding in (
        SlidingLogMel(log_mel(48_000, 2048, 512, 128), 48_000, 12_288),
        SlidingWaveform(Waveform(sample_rate_hz=48_000), 48_000, 12_288),
    ):
        windows = sliding.push(forest_like[:100_000])
        kept = [found.features.copy() for found in windows]
        sliding.push(forest_like[100_000:])
        for found, copy in zip(windows, kept, strict=True):
            np.testing.assert_array_equal(found.features, copy)


def test_level_is_that_of_the_window() -> None:
    time = np.arange(16_000) / 16_000
    sine = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    sliding = SlidingWaveform(Waveform(sample_rate_hz=16_000), 16_000, 16_000)
    (loud,) = sliding.push(sine)
    (silent,) = sliding.push(np.zeros(16_000, np.float32))
    assert loud.level_dbfs == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=1e-4)
    assert silent.level_dbfs == -math.inf


@pytest.mark.parametrize(
    ("window", "step", "said"),
    [
        (22_050, 5_512, r"not a multiple of the hop of 512; the nearest are 5120 samples .* or 5632 samples"),
        (22_050, 100, r"the nearest are 512 samples \(0\.0232 s\)"),
        (22_050, 22_528, "never be heard"),
        (2_000, 512, "too short for one frame"),
        (22_050, 0, "at least 1 sample"),
    ],
)
def test_refuses_steps_and_windows_that_do_not_fit(window: int, step: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        SlidingLogMel(log_mel(22_050, 2048, 512, 128, center=False), window, step)


def test_a_waveform_steps_as_it_likes_but_not_over_the_sound() -> None:
    SlidingWaveform(Waveform(sample_rate_hz=22_050), 22_050, 5_512)
    with pytest.raises(UsageError, match="never be heard"):
        SlidingWaveform(Waveform(sample_rate_hz=22_050), 22_050, 22_051)


def test_refuses_sound_that_is_not_mono_floating_point() -> None:
    sliding = SlidingWaveform(Waveform(sample_rate_hz=16_000), 16_000, 4_000)
    with pytest.raises(InputError, match="floating-point"):
        sliding.push(np.zeros(4_000, np.int16))
