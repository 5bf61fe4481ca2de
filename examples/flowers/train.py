r"""Transfer learning on 30 photos a class, the slow way and the fast way.

    python -m examples.flowers.train frozen --output flowers-out
    edge-sdk convert flowers-out/flowers.keras --spec examples/flowers/flowers.toml \
        --calibration flowers-out/calibration --evaluation flowers-out/evaluation -o flowers.edge

``frozen`` trains head and base as one model, of which the base learns nothing: every epoch sends every
photo through the base, mirrored or not. ``features`` sends each photo through the base once, and trains
the head on what came out; ``edge-sdk convert --features flowers-out/base.keras --head
flowers-out/head.keras`` makes them one.
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

from converters import load_spec
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import EdgeSdkError

from ..photo_list import default_photos, lay_out, read_list
from .dataset import SPLITS_CSV, Photos, read_photos
from .networks import HeadKind, build_base, build_head, put_together

if TYPE_CHECKING:
    import keras

SPEC = Path(__file__).with_name("flowers.toml")
_BATCH = 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        lay_out(read_list(SPLITS_CSV), options.photos, options.output)
        photos = read_photos(options.output / "training", load_spec(SPEC).image)
        seconds = _train(options, photos)
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"trained on {len(photos.labels)} photos in {seconds:.0f} s")
    return 0


def _train(options: argparse.Namespace, photos: Photos) -> float:
    """Train and save; gives the seconds that the training took."""
    import keras

    keras.utils.set_random_seed(options.seed)
    base = build_base()
    start = time.monotonic()
    if options.recipe == "frozen":
        models = {"flowers": train_frozen(base, photos, options.head, options.epochs or 20)}
    else:
        models = {"base": base, "head": train_on_features(base, photos, options.head, options.epochs or 60)}
    seconds = time.monotonic() - start
    for name, model in models.items():
        model.save(options.output / f"{name}.keras")
    return seconds


def train_frozen(base: keras.Model, photos: Photos, kind: HeadKind, epochs: int) -> keras.Model:
    """Train a head behind the frozen base; each epoch mirrors half of the photos anew."""
    model = put_together(base, build_head(base.output_shape[1:], kind))
    model.compile("adam", "sparse_categorical_crossentropy")
    mirrors = np.random.default_rng(0)
    for _ in range(epochs):
        pictures = _some_mirrored(photos.pictures, mirrors)
        model.fit(pictures, photos.labels, batch_size=_BATCH, verbose=0)
    return model


def train_on_features(base: keras.Model, photos: Photos, kind: HeadKind, epochs: int) -> keras.Model:
    """Compute features once, of each photo and its mirror image, and train a head on them."""
    both = np.concatenate([photos.pictures, photos.pictures[:, :, ::-1]])
    features = np.asarray(base.predict(both, batch_size=_BATCH, verbose=0))
    head = build_head(features.shape[1:], kind)
    head.compile("adam", "sparse_categorical_crossentropy")
    head.fit(features, np.tile(photos.labels, 2), batch_size=_BATCH, epochs=epochs, verbose=0)
    return head


def _some_mirrored(pictures: Float32Array, mirrors: np.random.Generator) -> Float32Array:
    mirrored = mirrors.random(len(pictures)) < 0.5
    chosen: Float32Array = np.where(mirrored[:, None, None, None], pictures[:, :, ::-1], pictures)
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.flowers.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", choices=["frozen", "features"])
    parser.add_argument("--photos", type=Path, default=default_photos(), metavar="DIR")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--head", choices=["pool", "flatten"], default="pool")
    parser.add_argument("--epochs", type=int, help="20 for frozen, 60 for features")
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    sys.exit(main())
