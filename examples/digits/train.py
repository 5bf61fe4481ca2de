r"""Trains a small CNN on handwritten digits, and lays out pictures to calibrate and judge it with.

    python -m examples.digits.train --data ../shared/data/images/digits --output digits-out
    edge-sdk convert digits-out/digits.keras --spec examples/digits/digits.toml \
        --calibration digits-out/calibration --evaluation digits-out/evaluation -o digits.edge

Without the npm package it takes scikit-learn's digits.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_sdk.errors import EdgeSdkError

from .dataset import DIGITS, SIDE, Digits, read_digits, split

if TYPE_CHECKING:
    import keras


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        digits = split(read_digits(options.data))
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    start = time.monotonic()
    model = train(digits.training, options.epochs, options.seed)
    print(f"trained on {len(digits.training.labels)} of {digits.training.source}", end=" ")
    print(f"in {time.monotonic() - start:.0f} s")
    options.output.mkdir(parents=True, exist_ok=True)
    model.save(options.output / "digits.keras")
    for name, part in (("calibration", digits.calibration), ("evaluation", digits.evaluation)):
        write_pictures(part, options.output / name)
    return 0


def build_network() -> keras.Model:
    """Conv-Pool-Conv-Pool-Dense: from pictures ``[n, 28, 28, 1]`` in 0..1 to ten probabilities."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1), name="picture"),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.3),
            layers.Dense(DIGITS, activation="softmax"),
        ],
        name="digits",
    )


def train(digits: Digits, epochs: int, seed: int) -> keras.Model:
    """Train the network from scratch."""
    import keras

    keras.utils.set_random_seed(seed)
    model = build_network()
    model.compile("adam", "sparse_categorical_crossentropy")
    pictures = digits.pictures[..., np.newaxis].astype(np.float32) / 255
    model.fit(pictures, digits.labels, batch_size=64, epochs=epochs, verbose=0)
    return model


def write_pictures(digits: Digits, folder: Path) -> None:
    """One PNG a digit, in a folder of its label."""
    from PIL import Image

    for number, (picture, label) in enumerate(zip(digits.pictures, digits.labels, strict=True)):
        path = folder / str(label) / f"{number:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.digits.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = Path(os.environ.get("EDGE_SDK_DATA", "../shared/data")) / "images/digits"
    parser.add_argument("--data", type=Path, default=data, help="folder of the npm package (%(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="folder for the model and pictures")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
