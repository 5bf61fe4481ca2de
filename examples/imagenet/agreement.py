"""How often each variant of a classifier names the same thing first as the float one.

    python -m examples.imagenet.agreement lite0.edge photos/agreement

The photos need no labels: what a conversion may lose shows as disagreement with float32.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Variant
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import EdgeSdkError, UsageError
from edge_sdk.image.picture_file import is_picture, read_picture
from edge_sdk.inference.image_classifier import ImageClassifier
from edge_sdk.inference.open import open_backend
from edge_sdk.metrics.classification import Share


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.imagenet.agreement",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("photos", type=Path, metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        bundle = Bundle.open(options.bundle)
        paths = sorted(path for path in options.photos.rglob("*") if is_picture(path))
        if not paths:
            raise UsageError(f"{options.photos} holds no photos")
        for name, share in agreement(scores_by_variant(bundle, paths)).items():
            low, high = share.interval.low, share.interval.high
            print(
                f"{name:16} {share.hits} of {share.n} ({share.hits / share.n:.3f}, {low:.3f} to {high:.3f})"
            )
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def agreement(scores: Mapping[str, Float32Array], float_name: str = "tflite-float32") -> dict[str, Share]:
    """Photos whose highest score is that of the float variant.

    Args:
        scores: By variant, ``[photos, labels]``.
        float_name: Which of them the others are held against.

    Raises:
        UsageError: It is not among them.
    """
    if float_name not in scores:
        raise UsageError(f"the bundle has no {float_name} to compare with: {', '.join(scores)}")
    wanted = scores[float_name].argmax(axis=1)
    return {
        name: Share(int((found.argmax(axis=1) == wanted).sum()), len(wanted))
        for name, found in scores.items()
    }


def scores_by_variant(bundle: Bundle, paths: Sequence[Path]) -> dict[str, Float32Array]:
    """Scores ``[photos, labels]`` of every variant, each run as a device runs it.

    Raises:
        UsageError: It is no bundle of a picture classifier.
        ImageError: A photo cannot be read.
        BackendError: A variant does not run.
    """
    return {variant.name: _scores(bundle, variant, paths) for variant in bundle.manifest.variants}


def _scores(bundle: Bundle, variant: Variant, paths: Sequence[Path]) -> Float32Array:
    manifest = bundle.manifest
    with open_backend(bundle.read(variant.file), variant.format, name=variant.name) as backend:
        classifier = ImageClassifier(
            manifest.image, manifest.classes, manifest.label_ids, backend, variant.tensors
        )
        return np.stack([classifier.score(read_picture(path)) for path in paths])


if __name__ == "__main__":
    sys.exit(main())
