"""Scores of the demo's own material: the forest alone, and each of Freedoom's sounds in it.

    python -m examples.forest_sounds.demo_material

Prints the table in the model card. The forest is the second half of the Amazon recording, of which
nothing was trained on; each sound begins at each third second of it, once at a time, at 12 dB over
the four seconds around it (mean power to mean power). Saws are looped to three seconds, as in the
demo; shots stay as they are. Each score is the highest of its windows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_sdk.contract.values import Float32Array
from edge_sdk.demo.mixing import add_at, loop_to
from edge_sdk.demo.soundscape import SAMPLE_RATE_HZ, load_lumps
from edge_sdk.demo.wheels import AMAZON_RAINFOREST, cache_folder, fetch
from edge_sdk.errors import EdgeSdkError
from edge_sdk.signal.audio_file import read_mono
from edge_sdk.signal.resample import resample

from .base import build_base
from .dataset import LABELS
from .dataset import SAMPLE_RATE_HZ as MODEL_RATE_HZ
from .features import heard_windows
from .head import predict_scores

if TYPE_CHECKING:
    import keras

SAWS = ("DSSAWUP", "DSSAWFUL", "DSSAWHIT", "DSSAWIDL")
GUNS = ("DSPISTOL", "DSSHOTGN", "DSDSHTGN")
EXPLOSION = "DSBAREXP"

_SNR_DB = 12.0
_STRETCH = 4 * SAMPLE_RATE_HZ
_ONSET = SAMPLE_RATE_HZ // 2
_SAW = 3 * SAMPLE_RATE_HZ
_STEP = 3 * SAMPLE_RATE_HZ
_CROSSFADE = SAMPLE_RATE_HZ // 20


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.forest_sounds.demo_material",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(arguments)
    try:
        print(describe(cache_folder(), load_listener()))
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def load_listener() -> Callable[[Float32Array], NDArray[np.float64]]:
    """The example's model in float: from sound at the demo's rate to each label's highest score."""
    import keras

    base: keras.Model = build_base()
    head: keras.Model = keras.models.load_model(Path(__file__).with_name("head.keras"))

    def highest(sound: Float32Array) -> NDArray[np.float64]:
        windows = heard_windows(resample(sound, SAMPLE_RATE_HZ, MODEL_RATE_HZ)).astype(np.float32)
        features = np.asarray(base.predict(windows, batch_size=32, verbose=0))
        return np.asarray(predict_scores(head, features).max(axis=0))

    return highest


def describe(cache: Path, highest: Callable[[Float32Array], NDArray[np.float64]]) -> str:
    """The table, as the model card has it.

    Args:
        cache: Where recordings out of wheels are kept.
        highest: The model: from sound to each label's highest score.

    Raises:
        InputError: A recording cannot be had.
    """
    whole = read_mono(fetch(AMAZON_RAINFOREST, cache), SAMPLE_RATE_HZ)
    forest = whole[whole.size // 2 :]
    load = load_lumps(cache)
    alone = highest(forest)
    lines = [
        "forest alone: " + ", ".join(f"{name} {score:.2f}" for name, score in zip(LABELS, alone, strict=True))
    ]
    lines += [
        "| sound | its label | highest score: median (lowest to highest) of n places |",
        "|---|---|---|",
    ]
    for label, lumps in (("chainsaw", SAWS), ("gunshot", (*GUNS, EXPLOSION))):
        for lump in lumps:
            sound = loop_to(load(lump), _SAW, _CROSSFADE) if lump in SAWS else load(lump)
            scores = [highest(mixed)[LABELS.index(label)] for mixed in in_forest(forest, sound)]
            told = f"{np.median(scores):.2f} ({min(scores):.2f} to {max(scores):.2f}) of {len(scores)}"
            lines.append(f"| {lump} | {'none' if lump == EXPLOSION else label} | {told} |")
    return "\n".join(lines)


def in_forest(forest: Float32Array, sound: Float32Array) -> list[Float32Array]:
    """The sound in four seconds of forest, beginning at each third second."""
    mixed = []
    for start in range(0, forest.size - _STRETCH + 1, _STEP):
        stretch = forest[start : start + _STRETCH].copy()
        add_at(stretch, sound, _ONSET, _SNR_DB)
        mixed.append(stretch)
    return mixed


if __name__ == "__main__":
    sys.exit(main())
