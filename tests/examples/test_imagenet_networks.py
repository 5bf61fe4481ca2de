"""Networks of keras.applications: each is fed as Keras feeds it, and stays itself when converted."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from converters import load_spec
from converters.spec.image_table import PRESETS
from edge_sdk.errors import UsageError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.image.prepare import Preparation
from examples.imagenet.build import write
from examples.imagenet.networks import NETWORKS, Network, build_network, spec_text
from examples.imagenet.parity import measure
from examples.imagenet.stand_in import ends_of_branches

SIDE = 64
NEARLY = 1e-3

# Keras's own, as it saves
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def test_every_preset_that_keras_has_is_used_by_a_network() -> None:
    assert {network.preset for network in NETWORKS.values()} == set(PRESETS) - {"unit"}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_spec_feeds_its_network_as_preprocess_input_does(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]
    (tmp_path / "spec.toml").write_text(spec_text(name, network, 32))
    spec = load_spec(tmp_path / "spec.toml")
    assert spec.label_ids[263] == "pembroke"
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    image = spec.image
    fed = Preparation(image).tensor(np.pad(pixels, ((2, 3), (2, 3), (0, 0)))).tensor
    rgb = pixels[..., ::-1].astype(np.float32)[np.newaxis]
    wanted = np.asarray(preprocess_input(network)(rgb))
    np.testing.assert_allclose(fed, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_tflite_and_onnx_give_the_logits_of_keras(name: str, tmp_path: Path) -> None:
    """On small pictures; docs/reference/models.md has what was measured on those of full size."""
    photos = [tmp_path / "temple.png", tmp_path / "flower.png"]
    for photo, pixels in zip(photos, load_sample_images().images, strict=True):
        Image.fromarray(pixels).save(photo)
    model = write(name, tmp_path, side=SIDE)
    differences = measure(model, photos, NETWORKS[name].preset)
    assert set(differences) == {"tflite-float32", "onnx-float32"}
    assert max(differences.values()) < NEARLY


def test_silu_whose_gradient_cannot_be_saved_converts(tmp_path: Path, shared_data: Path) -> None:
    """EfficientNetV2 is full of it."""
    keras.utils.set_random_seed(0)
    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="silu"), keras.layers.Flatten()]
    model = keras.Sequential([*layers, keras.layers.Dense(10)])
    model.save(tmp_path / "silu.keras")
    differences = measure(tmp_path / "silu.keras", [shared_data / "images/coral/parrot.jpg"], "tf")
    assert max(differences.values()) < NEARLY


def test_other_preprocessing_would_show(tmp_path: Path, shared_data: Path) -> None:
    """The measure sees what it must: the same network fed otherwise is far off."""
    network = build_network("mobilenet_v2", side=SIDE)
    photo = read_picture(shared_data / "images/coral/parrot.jpg")
    logits = []
    for preset in ("tf", "caffe"):
        text = spec_text("mobilenet_v2", Network("MobileNetV2", "mobilenet_v2", preset), SIDE)
        (tmp_path / "spec.toml").write_text(text)
        tensor = Preparation(load_spec(tmp_path / "spec.toml").image).tensor(photo).tensor
        logits.append(np.asarray(network(tensor))[0])
    assert np.abs(logits[0] - logits[1]).max() / logits[0].std() > 100 * NEARLY


def test_random_weights_give_logits_that_8_bits_can_hold() -> None:
    network = build_network("mobilenet_v2", side=SIDE)
    pixels = np.random.default_rng(1).uniform(-1, 1, (1, SIDE, SIDE, 3)).astype(np.float32)
    assert np.asarray(network(pixels)).std() > 0.01
    normalizations = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in normalizations} == {0.999}


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet50v2"])
def test_random_weights_tell_photos_apart_and_not_noise(name: str, shared_data: Path) -> None:
    """As they come, noise of one grey level moves MobileNetV2's logits nearly as far as another photo."""
    network = build_network(name, side=SIDE)
    scale = preprocess_input(NETWORKS[name])
    photos = [
        read_picture(shared_data / f"images/coral/{photo}")[:SIDE, :SIDE].astype(np.float32)
        for photo in ("parrot.jpg", "cat.bmp")
    ]
    noise = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE, 3)).astype(np.float32)
    pictures = np.stack([*photos, photos[0] + noise])
    one, other, noisy = np.asarray(network(scale(pictures)))
    assert np.linalg.norm(other - one) > 4 * np.linalg.norm(noisy - one)


def test_the_stand_ins_branches_are_those_that_are_added() -> None:
    """One of each addition, and never the identity, nor what takes its place."""
    for name, block in {
        "mobilenet_v2": "block_2_project_BN",
        "efficientnet_v2_b0": "block2b_project_bn",
    }.items():
        network = build_network(name, side=SIDE)
        added = [layer.name for layer in ends_of_branches(network)]
        additions = [layer for layer in network.layers if isinstance(layer, keras.layers.Add)]
        assert added[0] == block
        assert len(set(added)) == len(added) == len(additions)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.weights.h5").write_bytes(b"no weights")
    with pytest.raises(UsageError, match="no weights for MobileNetV2"):
        build_network("mobilenet_v2", weights=tmp_path / "other.weights.h5", side=SIDE)


def preprocess_input(network: Network) -> Any:
    return importlib.import_module(f"keras.applications.{network.module}").preprocess_input
