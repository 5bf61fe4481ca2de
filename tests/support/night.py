"""Recordings of twelve hours that take next to no room on the disk, and a model to hear them with.

All is digital silence but for a few tones at known seconds. The model tells low tones from high ones, in
windows of five seconds that do not overlap, so that a night is 8,640 of them.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile
from tiny_bundle import tone
from tiny_models import tiny_tflite

from edge_sdk.contract.values import Float32Array

__all__ = [
    "DECODED_BYTES",
    "FEATURES",
    "HOURS",
    "RATE",
    "SECONDS",
    "TONE_S",
    "WINDOWS",
    "model_weights",
    "write_flac",
    "write_model",
    "write_rf64",
    "write_wav",
]

HOURS = 12
SECONDS = HOURS * 3600
RATE = 2_000
WINDOWS = SECONDS // 5
DECODED_BYTES = SECONDS * RATE * 4
"""Of one recording as float32, as it is heard."""

TONE_S = 20
FEATURES = (49, 16)
_LOW_BANDS = 8  # up to about 450 Hz
_SPEC = """
name = "night-tones"
version = "1.0.0"

[[labels]]
id = "low"

[[labels]]
id = "high"

[default_rule]
threshold = 0.8

[audio]
sample_rate_hz = 2000
window_s = 5.0
step_s = 5.0

[audio.log_mel]
n_fft = 256
hop = 200
n_mels = 16
fmin_hz = 50.0
center = false
amin = 1e-6
mean = -30.0
std = 20.0
"""

Tones = Mapping[int, float]
"""Second at which a tone of 20 s begins: its frequency."""


def write_wav(path: Path, tones: Tones) -> Path:
    """16-bit mono WAV, 173 MB of which nearly all is a hole."""
    size = SECONDS * RATE * 2
    return _write_sparse(path, struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE"), size, tones)


def write_rf64(path: Path, tones: Tones) -> Path:
    """The same as RF64: what recorders write when a night might pass 4 GiB."""
    size = SECONDS * RATE * 2  # of a night that does not, so that reading it takes little time
    ds64 = struct.pack("<4sIQQQI", b"ds64", 28, 72 + size, size, SECONDS * RATE, 0)
    return _write_sparse(path, struct.pack("<4sI4s", b"RF64", 2**32 - 1, b"WAVE") + ds64, size, tones)


def write_flac(path: Path, tones: Tones) -> Path:
    """The same as FLAC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    silence = np.zeros(60 * RATE, dtype=np.int16)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for start, following in itertools.pairwise([0, *sorted(tones), SECONDS]):
            sound = _pcm(tones[start]) if start in tones else silence[:0]
            file.write(sound)
            missing = (following - start) * RATE - len(sound)
            while missing > 0:
                file.write(silence[:missing])
                missing -= len(silence)
    return path


def write_model(folder: Path) -> tuple[Path, Path]:
    """A ``.tflite`` that scores low and high tones, and its SPEC.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    weights, bias = model_weights()
    model, spec = folder / "tones.tflite", folder / "tones.toml"
    model.write_bytes(tiny_tflite(weights, bias, (1, *FEATURES)))
    spec.write_text(_SPEC)
    return model, spec


def model_weights() -> tuple[Float32Array, Float32Array]:
    """Weights ``[2, frames * mels]`` and bias ``[2]`` of the logits."""
    frames, mels = FEATURES
    low = np.full(FEATURES, -1.0 / (mels - _LOW_BANDS))
    low[:, :_LOW_BANDS] = 1.0 / _LOW_BANDS
    weights = (np.stack([low.ravel(), -low.ravel()]) * (12.0 / frames)).astype(np.float32)
    bias = np.full(2, -6.0, dtype=np.float32)
    return weights, bias


def _write_sparse(path: Path, riff: bytes, size: int, tones: Tones) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    told = 2**32 - 1 if riff.startswith(b"RF64") else size
    header = riff + form + struct.pack("<4sI", b"data", told)
    with path.open("wb") as file:
        file.write(header)
        for start, frequency_hz in tones.items():
            file.seek(len(header) + start * RATE * 2)
            file.write(_pcm(frequency_hz).tobytes())
        file.truncate(len(header) + size)
    return path


def _pcm(frequency_hz: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return (tone(frequency_hz, TONE_S, RATE) * 32767).astype("<i2")
