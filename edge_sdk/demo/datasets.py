"""The demo's calibration and evaluation sets: few clips, but real ones, and none that is staged.

Freedoom's other saw and gun sounds and explosions, and the first half of the Amazon recording: its
first quarter for calibration, its second for evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..contract.values import Float32Array
from ..signal.audio_file import read_mono
from .mixing import add_at, loop_to
from .recordings import write_wav
from .soundscape import SAMPLE_RATE_HZ, load_lumps
from .wheels import AMAZON_RAINFOREST, fetch

__all__ = ["DATASET_LUMPS", "make_datasets"]

DATASET_LUMPS = ("DSSAWIDL", "DSSAWHIT", "DSDSHTGN", "DSRXPLOD", "DSBAREXP")

_CLIP_S = 3.0
_CLIP = int(_CLIP_S * SAMPLE_RATE_HZ)
_SNRS_DB = (21.0, 18.0, 15.0, 12.0, 9.0)
_ONSET = SAMPLE_RATE_HZ // 2  # a shot that has no forest before it is no shot in a forest


@dataclass(frozen=True, slots=True)
class _Ingredient:
    """A sound to be mixed into clips of ``folder``."""

    folder: str
    name: str
    sound: Float32Array


def make_datasets(cache: Path, folder: Path) -> tuple[Path, Path]:
    """Write both sets as folders by class under ``folder``.

    Returns:
        The calibration folder and the evaluation folder.

    Raises:
        InputError: A recording cannot be had.
    """
    load = load_lumps(cache)
    forest = read_mono(fetch(AMAZON_RAINFOREST, cache), SAMPLE_RATE_HZ)
    first, second = np.split(forest[: forest.size // 2], [forest.size // 4])
    calibration, evaluation = folder / "calibration", folder / "evaluation"
    _write_set(calibration, first, _ingredients(load, "DSSAWIDL", "DSRXPLOD"))
    _write_set(evaluation, second, _ingredients(load, "DSSAWHIT", "DSBAREXP"))
    return calibration, evaluation


def _ingredients(load: Callable[[str], Float32Array], saw: str, explosion: str) -> list[_Ingredient]:
    return [
        _Ingredient("chainsaw", saw.lower(), loop_to(load(saw), _CLIP - _ONSET, SAMPLE_RATE_HZ // 50)),
        _Ingredient("gunshot", "dsdshtgn", load("DSDSHTGN")),
        _Ingredient("background", explosion.lower(), load(explosion)),
    ]


def _write_set(folder: Path, forest: Float32Array, ingredients: Sequence[_Ingredient]) -> None:
    """Clips of plain forest, and each ingredient over several stretches of it, louder and fainter."""
    stretches = [forest[start : start + _CLIP] for start in range(0, forest.size - _CLIP + 1, _CLIP)]
    for index, stretch in enumerate(stretches):
        write_wav(folder / "background" / f"forest{index}.wav", stretch, SAMPLE_RATE_HZ)
    for number, ingredient in enumerate(ingredients):
        for level, snr_db in enumerate(_SNRS_DB):
            clip = stretches[(len(_SNRS_DB) * number + level) % len(stretches)].copy()
            add_at(clip, ingredient.sound, _ONSET, snr_db)
            name = f"{ingredient.name}-{snr_db:.0f}db.wav"
            write_wav(folder / ingredient.folder / name, clip, SAMPLE_RATE_HZ)
