"""Sounds that the tests of the signal path share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.audio import LogMel
from edge_sdk.contract.values import Float32Array


@pytest.fixture(scope="session")
def forest_like() -> Float32Array:
    """Four seconds at 48 kHz that no stage finds easy: a sweep, a shot, hiss and digital silence."""
    rng = np.random.default_rng(7)
    time = np.arange(4 * 48_000) / 48_000
    sound = 0.3 * np.sin(2 * np.pi * (100 + 2_000 * time) * time)
    sound += 0.01 * rng.standard_normal(len(time))
    sound[96_000:97_000] += np.linspace(0.6, 0, 1_000) * rng.standard_normal(1_000)
    sound[130_000:150_000] = 0
    return np.clip(sound, -1, 1).astype(np.float32)


@pytest.fixture(scope="session")
def esc10_clips(shared_data: Path) -> list[Path]:
    """One real clip of each of five classes, 44.1 kHz."""
    classes = ("001", "002", "007", "008", "010")
    return [sorted((shared_data / "audio/esc10").glob(f"{name}_*/*.ogg"))[3] for name in classes]


@pytest.fixture(scope="session")
def yamnet_front_end() -> LogMel:
    """25 ms windows every 10 ms, 64 HTK mel bands 125-7500 Hz, log(x + 0.001)."""
    return LogMel(
        sample_rate_hz=16_000,
        n_fft=512,
        win_length=400,
        hop=160,
        n_mels=64,
        fmin_hz=125,
        fmax_hz=7_500,
        mel_scale="htk",
        mel_norm="none",
        mel_triangles="mel",
        power=1.0,
        center=False,
        framing="tensorflow",
        scale="log",
        log_offset=0.001,
    )
