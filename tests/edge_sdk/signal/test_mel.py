"""Mel filterbanks equal librosa's and TensorFlow's."""

from __future__ import annotations

from typing import Any, Literal

import librosa
import numpy as np
import pytest

from edge_sdk.contract.audio import LogMel
from edge_sdk.signal.mel import hz_to_mel, mel_filters, mel_to_hz


def front_end(rate: int, n_fft: int, n_mels: int, **parameters: Any) -> LogMel:
    return LogMel(
        sample_rate_hz=rate,
        n_fft=n_fft,
        win_length=n_fft,
        hop=n_fft // 4,
        n_mels=n_mels,
        **{"fmin_hz": 0.0, "fmax_hz": rate / 2} | parameters,
    )


@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize("norm", ["slaney", "none"])
@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels"),
    [(16_000, 512, 64), (22_050, 2048, 128), (32_000, 1024, 64), (48_000, 2048, 128)],
)
def test_filters_equal_librosa(rate: int, n_fft: int, n_mels: int, scale: str, norm: str) -> None:
    ours = mel_filters(front_end(rate, n_fft, n_mels, mel_scale=scale, mel_norm=norm, fmin_hz=50.0))
    theirs = librosa.filters.mel(
        sr=rate,
        n_fft=n_fft,
        n_mels=n_mels,
        fmin=50.0,
        htk=scale == "htk",
        norm="slaney" if norm == "slaney" else None,
    )
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=2e-6, atol=1e-8)


def test_the_scales_meet_their_definitions() -> None:
    assert hz_to_mel(1_000, "slaney") == pytest.approx(15)
    assert hz_to_mel(6_400, "slaney") == pytest.approx(15 + 27)
    assert hz_to_mel(700, "htk") == pytest.approx(2595 * np.log10(2))


@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_mel_to_hz_inverts_hz_to_mel(scale: Literal["slaney", "htk"]) -> None:
    hz = np.linspace(0, 96_000, 500)
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz, scale), scale), hz, rtol=1e-12, atol=1e-9)


def test_a_band_between_two_bins_is_empty_and_not_an_error() -> None:
    filters = mel_filters(front_end(16_000, 64, 40))
    empty = ~filters.any(axis=1)
    assert empty.any()
    assert np.isfinite(filters).all()
