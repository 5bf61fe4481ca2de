"""Streaming to another rate: the same bits for any block sizes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soxr
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import MissingExtraError, UsageError
from edge_sdk.signal.resample import StreamResampler, resample

RATES = st.sampled_from(
    [(44_100, 16_000), (48_000, 16_000), (11_025, 16_000), (16_000, 22_050), (16_000, 16_000)]
)


def sound(samples: int, seed: int = 3) -> Float32Array:
    return (0.3 * np.random.default_rng(seed).standard_normal(samples)).astype(np.float32)


def resampled(resampler: StreamResampler, samples: Float32Array, sizes: list[int]) -> Float32Array:
    parts, position, turn = [], 0, 0
    while position < len(samples):
        size = sizes[turn % len(sizes)]
        parts.append(resampler.process(samples[position : position + size]))
        position, turn = position + size, turn + 1
    return np.concatenate([*parts, resampler.flush()])


@given(rates=RATES, samples=st.integers(0, 20_000), sizes=st.lists(st.integers(1, 9_000), min_size=1))
def test_block_sizes_change_no_bit(rates: tuple[int, int], samples: int, sizes: list[int]) -> None:
    whole = resampled(StreamResampler(*rates), sound(samples), [20_000])
    in_blocks = resampled(StreamResampler(*rates), sound(samples), sizes)
    np.testing.assert_array_equal(in_blocks, whole)
    assert abs(len(whole) - samples * rates[1] / rates[0]) <= 1


def test_equals_soxr_in_one_shot() -> None:
    samples = sound(44_100)
    expected = soxr.resample(samples, 44_100, 16_000, quality="HQ")
    np.testing.assert_array_equal(resampled(StreamResampler(44_100, 16_000), samples, [4_096]), expected)
    np.testing.assert_array_equal(resample(samples, 44_100, 16_000), expected)


def test_a_tone_keeps_its_pitch_and_level() -> None:
    tone = np.sin(2 * np.pi * 1_000 * np.arange(44_100) / 44_100).astype(np.float32)
    heard = resampled(StreamResampler(44_100, 16_000), tone, [1_000])[2_000:14_000]
    expected = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)[2_000:14_000]
    np.testing.assert_allclose(heard, expected, atol=1e-4)


@pytest.mark.parametrize("end", ["flush", "reset"])
def test_a_new_sound_is_not_touched_by_the_one_before(end: str) -> None:
    resampler = StreamResampler(44_100, 16_000)
    resampler.process(sound(10_000, seed=1))
    getattr(resampler, end)()
    after = resampled(resampler, sound(10_000), [3_000])
    np.testing.assert_array_equal(after, resampled(StreamResampler(44_100, 16_000), sound(10_000), [3_000]))


def test_a_strided_channel_is_taken_as_it_is() -> None:
    stereo = sound(20_000).reshape(-1, 2)
    strided = resampled(StreamResampler(44_100, 16_000), stereo[:, 1], [10_000])
    copied = resampled(StreamResampler(44_100, 16_000), stereo[:, 1].copy(), [10_000])
    np.testing.assert_array_equal(strided, copied)


def test_equal_rates_load_no_soxr(project: Path) -> None:
    program = (
        "import sys, numpy as np\n"
        "from edge_sdk.signal.resample import StreamResampler\n"
        "block = np.ones(5, np.float32)\n"
        "assert StreamResampler(16_000, 16_000).process(block) is block\n"
        "assert 'soxr' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=project)


def test_a_missing_soxr_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtraError, match=r"edge-sdk\[audio\]"):
        StreamResampler(44_100, 16_000)


@pytest.mark.parametrize("rates", [(0, 16_000), (16_000, 0), (-1, -1)])
def test_refuses_rates_below_one(rates: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="at least 1 Hz"):
        StreamResampler(*rates)
