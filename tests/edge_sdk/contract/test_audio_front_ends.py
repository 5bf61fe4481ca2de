"""Front-end parameters: what decodes, what is refused, and the shapes that follow."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge_sdk.contract.audio import FrontEnd, LogMel, Waveform, feature_shape, frame_count, validate_window

VALID: dict[str, Any] = {
    "front_end": "log_mel",
    "sample_rate_hz": 16_000,
    "n_fft": 512,
    "win_length": 400,
    "hop": 160,
    "n_mels": 64,
    "fmin_hz": 125,
    "fmax_hz": 7_500,
}


def decoded(parameters: dict[str, Any]) -> LogMel | Waveform:
    front_end: LogMel | Waveform = msgspec.json.decode(msgspec.json.encode(parameters), type=FrontEnd)
    return front_end


def test_the_tag_names_the_front_end() -> None:
    assert isinstance(decoded(VALID), LogMel)
    assert decoded({"front_end": "waveform", "sample_rate_hz": 16_000}) == Waveform(sample_rate_hz=16_000)


def test_every_parameter_survives_a_round_trip() -> None:
    front_end = decoded(VALID | {"db_ref": "max", "top_db": None, "clip": [-60, 40], "layout": "mel_time"})
    assert decoded(msgspec.to_builtins(front_end)) == front_end


def test_fields_of_a_later_version_are_ignored() -> None:
    assert decoded(VALID | {"pcen": True}) == decoded(VALID)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"front_end": "mfcc"}, "Invalid value 'mfcc'"),
        ({"sample_rate_hz": 0}, "sample_rate_hz must be"),
        ({"n_fft": 1}, "n_fft must be"),
        ({"n_fft": 10**9}, "n_fft must be"),
        ({"win_length": 513}, "win_length must be"),
        ({"hop": 0}, "hop must be"),
        ({"hop": 401}, "hop must be"),
        ({"n_mels": 0}, "n_mels must be"),
        ({"fmax_hz": 8_001}, "half the sample rate"),
        ({"fmin_hz": 7_500}, "fmin_hz < fmax_hz"),
        ({"fmin_hz": -1}, "fmin_hz"),
        ({"power": 1.5}, "power must be 1.0 or 2.0"),
        ({"mel_scale": "bark"}, "mel_scale"),
        ({"db_ref": "median"}, "db_ref"),
        ({"db_ref": 0}, "db_ref must be"),
        ({"amin": 0}, "amin must be"),
        ({"top_db": -80}, "top_db must be"),
        ({"log_offset": -1}, "log_offset must not be negative"),
        ({"std": 0}, "std must be"),
        ({"clip": [0, -60]}, "rising order"),
        ({"framing": "tensorflow"}, "center=true"),
    ],
    ids=str,
)
def test_refuses_what_cannot_be_computed(change: dict[str, Any], said: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=said):
        decoded(VALID | change)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["fmax_hz", "mean", "std", "amin", "db_ref", "top_db", "log_offset"])
def test_refuses_numbers_that_are_not_finite(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        LogMel(**{key: VALID[key] for key in VALID if key != "front_end"} | {name: value})


@pytest.mark.parametrize(
    ("change", "samples", "frames"),
    [
        ({"framing": "tensorflow", "center": False}, 15_600, 96),
        ({"center": False}, 16_000, 97),
        ({"center": True}, 16_000, 101),
        ({"center": False}, 511, 0),
        ({"center": False}, 512, 1),
        ({"framing": "tensorflow", "center": False}, 400, 1),
        ({"center": True}, 1, 1),
        ({"center": True}, 0, 0),
    ],
    ids=str,
)
def test_counts_frames_as_librosa_and_tensorflow_do(
    change: dict[str, Any], samples: int, frames: int
) -> None:
    front_end = decoded(VALID | change)
    assert isinstance(front_end, LogMel)
    assert frame_count(front_end, samples) == frames


def test_the_feature_shape_follows_the_layout() -> None:
    assert feature_shape(decoded(VALID), 16_000) == (101, 64)
    assert feature_shape(decoded(VALID | {"layout": "mel_time"}), 16_000) == (64, 101)
    assert feature_shape(Waveform(sample_rate_hz=16_000), 15_600) == (15_600,)


def test_a_step_that_does_not_fit_the_hop_names_the_nearest() -> None:
    validate_window(decoded(VALID), 16_000, 4_000)
    with pytest.raises(
        ValueError, match=r"nearest are 3840 samples \(0\.2400 s\) or 4000 samples \(0\.2500 s\)"
    ):
        validate_window(decoded(VALID), 16_000, 3_999)
