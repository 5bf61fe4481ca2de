"""The one-shot log-mel spectrogram equals librosa's and YAMNet's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import soundfile
import soxr

from edge_sdk.contract.audio import LogMel, feature_shape
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import InputError
from edge_sdk.signal.log_mel import LogMelExtractor

TOLERANCE_DB = 1e-3

COMMON_SIZES = [
    (16_000, 512, 160, 64),
    (22_050, 2048, 512, 128),
    (32_000, 1024, 320, 64),
    (48_000, 2048, 512, 128),
]
DB_SETTINGS: list[dict[str, Any]] = [
    {"db_ref": 1.0, "top_db": 80.0},
    {"db_ref": 1.0, "top_db": None},
    {"db_ref": 0.01, "top_db": 60.0},
    {"db_ref": "max", "top_db": 80.0},
    {"db_ref": "max", "top_db": None},
]


def sized(rate: int, n_fft: int, hop: int, n_mels: int, **parameters: Any) -> LogMel:
    return LogMel(
        sample_rate_hz=rate,
        n_fft=n_fft,
        hop=hop,
        n_mels=n_mels,
        **{"win_length": n_fft, "fmin_hz": 0.0, "fmax_hz": rate / 2} | parameters,
    )


def by_librosa(samples: Float32Array, front_end: LogMel) -> Float32Array:
    """The same features from librosa, as its users write it."""
    mel = librosa.feature.melspectrogram(
        y=samples,
        sr=front_end.sample_rate_hz,
        n_fft=front_end.n_fft,
        win_length=front_end.win_length,
        hop_length=front_end.hop,
        n_mels=front_end.n_mels,
        fmin=front_end.fmin_hz,
        fmax=front_end.fmax_hz,
        htk=front_end.mel_scale == "htk",
        norm="slaney" if front_end.mel_norm == "slaney" else None,
        center=front_end.center,
        power=front_end.power,
    )
    reference = np.max if front_end.db_ref == "max" else front_end.db_ref
    to_db = librosa.power_to_db if front_end.power == 2.0 else librosa.amplitude_to_db
    db: Float32Array = to_db(mel, ref=reference, amin=front_end.amin, top_db=front_end.top_db)
    return db.T


def largest_difference(samples: Float32Array, front_end: LogMel) -> float:
    ours, theirs = LogMelExtractor(front_end)(samples), by_librosa(samples, front_end)
    assert ours.shape == theirs.shape == feature_shape(front_end, len(samples))
    assert ours.dtype == np.float32
    return float(np.abs(ours - theirs).max())


@pytest.fixture(scope="module")
def recordings(forest_like: Float32Array) -> dict[int, list[Float32Array]]:
    return {rate: [soxr.resample(forest_like, 48_000, rate, quality="HQ")] for rate, *_ in COMMON_SIZES}


@pytest.fixture(scope="module")
def real_recordings(esc10_clips: list[Path]) -> dict[int, list[Float32Array]]:
    clips = [soundfile.read(clip, dtype="float32", always_2d=True) for clip in esc10_clips]
    return {
        rate: [soxr.resample(sound[: 2 * hz, 0], hz, rate, quality="HQ") for sound, hz in clips]
        for rate, *_ in COMMON_SIZES
    }


@pytest.mark.parametrize("db", DB_SETTINGS, ids=str)
@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("size", COMMON_SIZES, ids=str)
def test_equals_librosa(
    *,
    size: tuple[int, int, int, int],
    center: bool,
    scale: str,
    db: dict[str, Any],
    recordings: dict[int, list[Float32Array]],
) -> None:
    front_end = sized(*size, center=center, mel_scale=scale, **db)
    for samples in recordings[size[0]]:
        assert largest_difference(samples, front_end) <= TOLERANCE_DB


@pytest.mark.parametrize("db", DB_SETTINGS, ids=str)
@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("size", COMMON_SIZES, ids=str)
def test_equals_librosa_on_real_clips(
    *,
    size: tuple[int, int, int, int],
    center: bool,
    scale: str,
    db: dict[str, Any],
    real_recordings: dict[int, list[Float32Array]],
) -> None:
    front_end = sized(*size, center=center, mel_scale=scale, **db)
    for samples in real_recordings[size[0]]:
        assert largest_difference(samples, front_end) <= TOLERANCE_DB


@pytest.mark.parametrize(
    "parameters",
    [
        {"power": 1.0, "amin": 1e-5},
        {"win_length": 400},
        {"win_length": 401, "center": False},
        {"n_fft": 513, "win_length": 513, "center": False},
        {"fmin_hz": 300.0, "fmax_hz": 3_000.0, "mel_norm": "none"},
        {"n_mels": 1},
        {"n_mels": 17},
    ],
    ids=str,
)
def test_equals_librosa_away_from_its_defaults(
    parameters: dict[str, Any], recordings: dict[int, list[Float32Array]]
) -> None:
    front_end = sized(**{"rate": 16_000, "n_fft": 512, "hop": 160, "n_mels": 64} | parameters)
    assert largest_difference(recordings[16_000][0], front_end) <= TOLERANCE_DB


@pytest.mark.filterwarnings("ignore:n_fft=512 is too large for input signal")
@pytest.mark.parametrize(
    ("center", "samples"),
    [(True, length) for length in (256, 257, 511, 512, 513, 671, 672, 16_000)]
    + [(False, length) for length in (512, 513, 671, 672, 16_000)],
)
def test_has_librosas_number_of_frames(
    *, center: bool, samples: int, recordings: dict[int, list[Float32Array]]
) -> None:
    front_end = sized(16_000, 512, 160, 64, center=center)
    assert largest_difference(recordings[16_000][0][:samples], front_end) <= TOLERANCE_DB


def test_equals_yamnets_front_end_in_tensorflow(
    yamnet_front_end: LogMel, recordings: dict[int, list[Float32Array]]
) -> None:
    import tensorflow as tf

    samples = recordings[16_000][0][:15_600]
    magnitude = tf.abs(tf.signal.stft(samples, frame_length=400, frame_step=160, fft_length=512))
    filters = tf.signal.linear_to_mel_weight_matrix(64, 257, 16_000, 125.0, 7_500.0)
    theirs = tf.math.log(tf.matmul(magnitude, filters) + 0.001).numpy()

    ours = LogMelExtractor(yamnet_front_end)(samples)

    assert ours.shape == theirs.shape == (96, 64)
    decibel = 10 / np.log(10)
    assert decibel * np.abs(ours - theirs).max() <= TOLERANCE_DB


def test_clip_then_normalisation_then_layout_come_last(recordings: dict[int, list[Float32Array]]) -> None:
    samples = recordings[16_000][0]
    plain = LogMelExtractor(sized(16_000, 512, 160, 64))(samples)
    shaped = LogMelExtractor(
        sized(16_000, 512, 160, 64, clip=(-60.0, -10.0), mean=-35.0, std=25.0, layout="mel_time")
    )(samples)
    assert shaped.shape == plain.shape[::-1]
    assert shaped.flags.c_contiguous
    np.testing.assert_allclose(shaped, (np.clip(plain, -60, -10).T + 35) / 25, atol=1e-6)
    assert shaped.min() == pytest.approx(-1)
    assert shaped.max() == pytest.approx(1)


@pytest.mark.parametrize("parameters", [{}, {"db_ref": "max"}, {"scale": "log"}], ids=str)
def test_digital_silence_is_finite(parameters: dict[str, Any]) -> None:
    features = LogMelExtractor(sized(16_000, 512, 160, 64, **parameters))(np.zeros(16_000, np.float32))
    assert np.isfinite(features).all()


@pytest.mark.parametrize(
    ("log_offset", "amin", "floor"), [(0.0, 1e-6, 1e-6), (1e-3, 1e-6, 1e-3), (1e-7, 1e-5, 1e-5)]
)
def test_silence_lies_at_the_higher_of_offset_and_least_value(
    log_offset: float, amin: float, floor: float
) -> None:
    front_end = sized(16_000, 512, 160, 64, scale="log", log_offset=log_offset, amin=amin)
    features = LogMelExtractor(front_end)(np.zeros(16_000, np.float32))
    np.testing.assert_allclose(features, np.log(floor), rtol=1e-6)


def test_a_result_is_not_overwritten_by_the_next_call(recordings: dict[int, list[Float32Array]]) -> None:
    extractor = LogMelExtractor(sized(16_000, 512, 160, 64))
    first = extractor(recordings[16_000][0][:16_000])
    kept = first.copy()
    extractor(recordings[16_000][0][16_000:32_000])
    np.testing.assert_array_equal(first, kept)


def test_the_callers_samples_are_left_alone(recordings: dict[int, list[Float32Array]]) -> None:
    samples = recordings[16_000][0][:16_000].astype(np.float64)
    before = samples.copy()
    LogMelExtractor(sized(16_000, 512, 160, 64, center=False))(samples)
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(100, np.float32), "too short"),
        (np.zeros(0, np.float32), "too short"),
        (np.zeros(16_000, np.int16), "floating-point"),
        (np.zeros((16_000, 2), np.float32), "one channel"),
    ],
    ids=["short", "empty", "int16", "stereo"],
)
def test_refuses_what_is_not_a_window_of_mono_sound(samples: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        LogMelExtractor(sized(16_000, 512, 160, 64, center=False))(samples)
