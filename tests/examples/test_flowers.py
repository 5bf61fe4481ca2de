"""Transfer learning on few photos: what is trained is what is converted, by either recipe."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import keras
import numpy as np
import pytest

from converters import convert, load_spec
from converters.sources.fuse import FUSION_TOLERANCE, check_fusion, fuse
from edge_sdk.contract.image import ImageInput
from edge_sdk.errors import DatasetError, ModelError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.image.prepare import Preparation
from examples.flowers.dataset import FLOWERS, SPLITS_CSV, Photos, read_photos
from examples.flowers.networks import SIDE, build_base, build_head, put_together
from examples.flowers.train import train_frozen, train_on_features
from examples.photo_list import lay_out, read_list

VGG16_PREPARATION = ImageInput(width=224, height=224, color="bgr", mean=(103.939, 116.779, 123.68))

# Keras's own, as it saves
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("flowers")
    lay_out(read_list(SPLITS_CSV), shared_data / "images", output)
    return output


@pytest.fixture(scope="module")
def photos(folder: Path, project: Path) -> Photos:
    return read_photos(folder / "training", load_spec(project / "examples/flowers/flowers.toml").image)


@pytest.fixture(scope="module")
def base() -> keras.Model:
    return build_base()


def test_each_photo_has_one_place_and_each_flower_as_many() -> None:
    listed = read_list(SPLITS_CSV)
    assert len({photo.path for photo in listed}) == len(listed) == 300
    counts = Counter(photo.folder for photo in listed)
    assert counts == {
        f"{part}/{flower}": n
        for flower in FLOWERS
        for part, n in (("training", 30), ("calibration", 10), ("evaluation", 20))
    }
    for photo in listed:
        assert photo.path.split("/")[1] == photo.folder.split("/")[1]


def test_missing_photos_are_counted_before_any_is_copied(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="300 of 300 photos are not in"):
        lay_out(read_list(SPLITS_CSV), tmp_path / "none", tmp_path / "output")
    assert not (tmp_path / "output").exists()


def test_a_frozen_base_in_a_sequential_trains_the_head_alone(base: keras.Model) -> None:
    head = build_head(base.output_shape[1:], "pool")
    model = put_together(base, head)
    assert model.input_shape == (None, SIDE, SIDE, 3)
    assert [tuple(weight.shape) for weight in model.trainable_variables] == [(1280, 5), (5,)]


def test_a_frozen_base_with_its_head_names_flowers_after_it_is_converted(
    base: keras.Model, photos: Photos, folder: Path, project: Path, tmp_path: Path
) -> None:
    few = Photos(photos.pictures[::2], photos.labels[::2])
    train_frozen(base, few, "pool", 12).save(tmp_path / "flowers.keras")
    bundle = convert(
        tmp_path / "flowers.keras",
        spec=project / "examples/flowers/flowers.toml",
        calibration=folder / "calibration",
        evaluation=folder / "evaluation",
        output=tmp_path / "flowers.edge",
        variants=["tflite-float32", "tflite-int8"],
        max_drop=0.2,
    )
    metrics = {variant.name: variant.metric for variant in bundle.manifest.variants}
    assert {name: metric.n for name, metric in metrics.items()} == {"tflite-float32": 100, "tflite-int8": 100}
    assert metrics["tflite-float32"].value > 0.4  # chance is 0.2


def test_a_head_on_features_names_flowers_after_it_is_fused_and_converted(
    base: keras.Model, photos: Photos, folder: Path, project: Path, tmp_path: Path
) -> None:
    base.save(tmp_path / "base.keras")
    few = Photos(photos.pictures[::2], photos.labels[::2])
    train_on_features(base, few, "pool", 30).save(tmp_path / "head.keras")
    bundle = convert(
        features=tmp_path / "base.keras",
        head=tmp_path / "head.keras",
        spec=project / "examples/flowers/flowers.toml",
        evaluation=folder / "evaluation",
        output=tmp_path / "flowers.edge",
        variants=["tflite-float32"],
    )
    (variant,) = bundle.manifest.variants
    assert variant.metric.n == 100
    assert variant.metric.value > 0.55  # chance is 0.2; the photos are small and many are unclear
    assert variant.max_abs_difference < 1e-4


def test_vgg16_and_its_flattened_head_fused_are_the_two_in_turn(shared_data: Path) -> None:
    """The shapes of VGG16; its weights are random here."""
    keras.utils.set_random_seed(0)
    features = keras.applications.VGG16(weights=None, include_top=False, input_shape=(224, 224, 3))
    assert features.output_shape == (None, 7, 7, 512)
    head = build_head(features.output_shape[1:], "flatten")
    assert [tuple(weight.shape) for weight in head.weights] == [(25088, 128), (128,), (128, 5), (5,)]
    fused = fuse(features, head, "vgg16.keras", "head.keras")
    prepare = Preparation(VGG16_PREPARATION)
    names = ("parrot.jpg", "hot_dog.jpg")
    pictures = [read_picture(shared_data / "images/coral" / name) for name in names]
    batches = [prepare.tensor(picture).tensor.copy() for picture in pictures]
    difference = check_fusion(
        "vgg16.keras + head.keras",
        lambda batch: np.asarray(fused(batch, training=False)),
        lambda batch: np.asarray(head(features(batch, training=False), training=False)),
        batches,
    )
    assert difference <= FUSION_TOLERANCE


def test_a_head_for_other_features_is_refused(base: keras.Model) -> None:
    head = build_head((7, 7, 512), "flatten")
    with pytest.raises(
        ModelError, match=r"head.keras takes \[7, 7, 512\], but base.keras gives \[5, 5, 1280\]"
    ):
        fuse(base, head, "base.keras", "head.keras")
