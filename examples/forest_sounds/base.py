"""The base: the first blocks of EfficientNet-Lite0 as a feature extractor for spectrograms.

EfficientNet-Lite0 learned to see from ImageNet. A log-mel spectrogram is a picture too, and the
network's middle layers tell the textures in it apart.

    python -m examples.forest_sounds.base BASE.keras
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge_sdk.contract.audio import LogMel
from edge_sdk.errors import EdgeSdkError

from .lite0 import Lite0Builder, read_weights

if TYPE_CHECKING:
    import keras

FRONT_END = LogMel(
    sample_rate_hz=16_000,
    n_fft=1024,
    win_length=1024,
    hop=160,
    n_mels=128,
    fmin_hz=60.0,
    fmax_hz=8000.0,
    center=False,
    amin=1e-7,  # -70 dB, what a microphone's own noise gives: digital silence is no other world
    top_db=None,
    layout="mel_time",
)
WINDOW_SAMPLES = 32_000
STEP_SAMPLES = 8_000
MELS, FRAMES = 128, 194
BLOCKS = 15
FEATURES = 1536

_SPAN_DB = 40.0


def build_base() -> keras.Model:
    """Builds the feature extractor.

    The picture is the spectrogram minus its mean level: the same sound at another gain, in another
    distance or through another microphone gives the same picture, so no level has to be learned.

    Returns:
        A model from log-mel windows in dB, ``[n, MELS, FRAMES]`` as ``FRONT_END`` gives them, to
        ``[n, FEATURES]``: 192 channels in 4 bands, their mean and their maximum over time.
    """
    import keras
    from keras import ops

    build = Lite0Builder(read_weights())
    log_mel = keras.Input((MELS, FRAMES), name="log_mel")
    level = ops.mean(log_mel, axis=(1, 2), keepdims=True)
    picture = ops.clip((log_mel - level) / _SPAN_DB, -1.0, 1.0)
    picture = keras.layers.Reshape((MELS, FRAMES, 1), name="picture")(picture)
    x = build.features(picture, blocks=BLOCKS)
    pooled = [ops.mean(x, axis=2), ops.max(x, axis=2)]
    flat = [keras.layers.Flatten()(bands) for bands in pooled]
    model = keras.Model(log_mel, keras.layers.Concatenate(name="features")(flat), name="base")
    build.fill()
    return model


def write_base(path: Path) -> Path:
    """Builds the base into a ``.keras`` file, which appears whole or not at all."""
    partial = path.with_name(f".{path.stem}.{os.getpid()}.keras")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        build_base().save(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m examples.forest_sounds.base", description=__doc__)
    parser.add_argument("output", type=Path, metavar="BASE.keras")
    options = parser.parse_args(arguments)
    try:
        print(f"wrote {write_base(options.output)}")
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
