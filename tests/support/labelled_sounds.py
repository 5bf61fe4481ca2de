"""Clips of made-up sounds in folders by class, for conversions that take seconds.

``saw`` is a buzzing tone, ``shot`` a burst of noise, ``background`` faint noise.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from edge_sdk.contract.audio import LogMel
from edge_sdk.contract.values import Float32Array

__all__ = [
    "FRONT_END",
    "LABELS",
    "RATE",
    "WINDOW",
    "make_sound",
    "spec_text",
    "training_windows",
    "write_sounds",
]

RATE = 8000
WINDOW = 8000
LABELS = ("saw", "shot")

FRONT_END = LogMel(
    sample_rate_hz=RATE,
    n_fft=256,
    win_length=256,
    hop=80,
    n_mels=24,
    fmin_hz=50.0,
    fmax_hz=4000.0,
    center=False,
    clip=(-60.0, 20.0),
    mean=-30.0,
    std=20.0,
)

_HEAD = """
name = "buzz-and-bang"
version = "1.0.0"

[model]
activation = "{activation}"

[[labels]]
id = "saw"

[[labels]]
id = "shot"
name = "Gun shot"

[default_rule]
threshold = 0.5

[audio]
sample_rate_hz = 8000
window_s = 1.0
step_s = 0.25
"""

_LOG_MEL = """
[audio.log_mel]
n_fft = 256
hop = 80
n_mels = 24
fmin_hz = 50.0
center = false
clip = [-60.0, 20.0]
mean = -30.0
std = 20.0
"""


def spec_text(*, activation: str = "sigmoid", log_mel: bool = True) -> str:
    """A SPEC.toml for models of these sounds."""
    return _HEAD.format(activation=activation) + (_LOG_MEL if log_mel else "")


def make_sound(kind: str, seconds: float, random: np.random.Generator) -> Float32Array:
    """One clip of ``saw``, ``shot`` or ``background`` at :data:`RATE`."""
    n = round(seconds * RATE)
    sound = 0.01 * random.standard_normal(n)
    if kind == "saw":
        pitch_hz = random.uniform(90, 140)
        sound += 0.2 * ((pitch_hz * np.arange(n) / RATE) % 1 - 0.5)
    if kind == "shot":
        start = int(random.integers(n // 4, n // 2))
        length = min(1500, n - start)
        burst = random.standard_normal(length) * np.exp(-np.arange(length) / 250)
        sound[start : start + length] += 0.6 * burst
    return sound.astype(np.float32)


def write_sounds(folder: Path, clips: int, seed: int, seconds: float = 1.5) -> Path:
    """Folders by class with so many clips each."""
    random = np.random.default_rng(seed)
    for kind in (*LABELS, "background"):
        (folder / kind).mkdir(parents=True)
        for number in range(clips):
            soundfile.write(
                folder / kind / f"{kind}-{number}.wav", make_sound(kind, seconds, random), RATE, "FLOAT"
            )
    return folder


def training_windows(count: int, seed: int) -> tuple[Float32Array, Float32Array]:
    """Windows of sound ``[count, WINDOW]`` and what is in them ``[count, 2]``."""
    random = np.random.default_rng(seed)
    kinds = [(*LABELS, "background")[number % 3] for number in range(count)]
    sounds = [make_sound(kind, WINDOW / RATE, random) for kind in kinds]
    truth = [[kind == label for label in LABELS] for kind in kinds]
    return np.stack(sounds), np.array(truth, dtype=np.float32)
