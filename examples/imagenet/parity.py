"""How far a network's float TFLite and ONNX forms are from Keras: enough to try with random weights.

    python -m examples.imagenet.build vgg16 --output out
    python -m examples.imagenet.parity out/vgg16.keras --preprocessing caffe PHOTO...

Scores of a random network are nearly flat, so that any two agree; logits are compared instead, relative
to how far they are spread over the classes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from converters.sources.open_source import open_source
from converters.spec.image_table import PRESETS
from converters.variants.made import Materials
from converters.variants.recipes import RECIPES, build_variant
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array, Float32Array, TensorSpec
from edge_sdk.errors import EdgeSdkError, ModelError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.image.prepare import Preparation
from edge_sdk.inference.open import open_backend

VARIANTS = ("tflite-float32", "onnx-float32")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.imagenet.parity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, metavar="KERAS")
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO")
    parser.add_argument("--preprocessing", choices=list(PRESETS), required=True)
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        differences = measure(options.model, options.photos, options.preprocessing)
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    for name, difference in differences.items():
        print(f"{name}: logits off by at most {difference:.2g} of their spread, {len(options.photos)} photos")
    return 0


def measure(model: Path, photos: Sequence[Path], preset: str) -> dict[str, float]:
    """Convert a network, and run it in all its forms on the same photos.

    Returns:
        By variant, the largest difference of a logit to Keras', relative to the deviation of a photo's
        logits over the classes.

    Raises:
        ModelError: It is no model that takes pictures.
        ImageError: A photo cannot be read.
        ConversionError: The model cannot be converted.
    """
    with open_source((model,), fit_input=_one_picture) as source:
        tensors = _tensors(source.input, photos, preset)
        wanted = [source.run(tensor).copy() for tensor in tensors]
        found: dict[str, float] = {}
        for name in VARIANTS:
            recipe = RECIPES[name]
            content = build_variant(recipe, Materials(source)).content
            with open_backend(content, recipe.format, name=name) as backend:
                taken, given = backend.inputs[0].name, backend.outputs[0].name
                answers = [np.array(backend.infer({taken: tensor})[given]) for tensor in tensors]
            found[name] = max(map(_difference, wanted, answers))
    return found


def _one_picture(model_input: TensorSpec) -> tuple[int, ...]:
    shape = model_input.shape
    if len(shape) != 4 or None in shape[1:]:
        raise ModelError(f"the model takes {list(shape)}, not pictures [n, height, width, 3]")
    return (1, *(size for size in shape[1:] if size is not None))


def _tensors(model_input: TensorSpec, photos: Sequence[Path], preset: str) -> list[Float32Array]:
    _, height, width, _ = _one_picture(model_input)
    scaling = PRESETS[preset]
    image = ImageInput(
        width=width, height=height, color=scaling.color, mean=scaling.mean, std=scaling.std, resize="crop"
    )
    prepare = Preparation(image)
    return [prepare.tensor(read_picture(photo)).tensor.copy() for photo in photos]


def _difference(wanted: Array, found: Array) -> float:
    return float(np.abs(wanted - found).max() / wanted.std())


if __name__ == "__main__":
    sys.exit(main())
