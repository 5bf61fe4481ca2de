"""EfficientNet-Lite0 with its real weights: right answers, before and after conversion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converters import convert
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.values import Float32Array
from edge_sdk.demo.sample_photos import CHELSEA, COFFEE
from edge_sdk.demo.wheels import WheelFile, cache_folder, fetch
from edge_sdk.errors import InputError, UsageError
from examples.imagenet.agreement import agreement, scores_by_variant
from examples.imagenet.build import write
from examples.imagenet.photos import PHOTOS_CSV
from examples.photo_list import lay_out, read_list

ANSWERS = {
    "bird.bmp": "chickadee",
    "cat.bmp": "egyptian_cat",
    "cat_720p.jpg": "egyptian_cat",
    "dragonfly.bmp": "dragonfly",
    "hot_dog.jpg": "hotdog",
    "parrot.jpg": "macaw",
}
VARIANTS = ("tflite-float32", "tflite-mixed")
DAISIES_THAT_JUDGE = 10
CALIBRATE_EACH = 2  # half of the photos: enough, and faster

# Keras's own, as it saves
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def bundle(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("lite0")
    listed = [photo for photo in read_list(PHOTOS_CSV) if photo.folder.startswith("calibration")]
    judging = [photo for photo in read_list(PHOTOS_CSV) if photo.folder.startswith("evaluation")]
    lay_out(listed[::CALIBRATE_EACH] + judging[:DAISIES_THAT_JUDGE], shared_data / "images", folder)
    model = write("efficientnet_lite0", folder)
    return convert(
        model,
        spec=model.with_suffix(".toml"),
        calibration=folder / "calibration",
        evaluation=folder / "evaluation",
        output=folder / "lite0.edge",
        variants=VARIANTS,
        max_drop=0.2,  # ten daisies judge too coarsely; the agreement below is the measure
    )


@pytest.fixture(scope="module")
def paths(shared_data: Path) -> list[Path]:
    listed = read_list(PHOTOS_CSV)
    return [shared_data / "images" / photo.path for photo in listed if photo.folder == "agreement"]


@pytest.fixture(scope="module")
def scores(bundle: Bundle, paths: list[Path]) -> dict[str, Float32Array]:
    return scores_by_variant(bundle, paths)


def test_mixed_precision_names_what_float_names_on_95_percent_of_the_photos(
    scores: dict[str, Float32Array], bundle: Bundle
) -> None:
    share = agreement(scores)["tflite-mixed"]
    assert share.n >= 60
    assert share.hits >= 0.95 * share.n
    size = {variant.name: variant.bytes for variant in bundle.manifest.variants}
    assert size["tflite-mixed"] < 0.7 * size["tflite-float32"]


@pytest.mark.parametrize("photo", ANSWERS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_photos_are_named_right(
    photo: str, variant: str, bundle: Bundle, paths: list[Path], scores: dict[str, Float32Array]
) -> None:
    (row,) = [index for index, path in enumerate(paths) if path.name == photo]
    assert bundle.manifest.label_ids[int(scores[variant][row].argmax())] == ANSWERS[photo]


@pytest.mark.parametrize(
    ("wanted", "answers"), [(COFFEE, {"espresso"}), (CHELSEA, {"egyptian_cat", "tiger_cat", "tabby"})]
)
def test_scikit_images_photos_are_named_right(wanted: WheelFile, answers: set[str], bundle: Bundle) -> None:
    try:
        photo = fetch(wanted, cache_folder())
    except InputError as error:
        pytest.skip(f"the photo cannot be had: {error.message}")
    for found in scores_by_variant(bundle, [photo]).values():
        assert bundle.manifest.label_ids[int(found[0].argmax())] in answers


def test_agreement_counts_the_photos_with_the_same_first_label() -> None:
    one = np.array([[0.1, 0.9], [0.8, 0.2]], np.float32)
    other = np.array([[0.4, 0.6], [0.3, 0.7]], np.float32)
    share = agreement({"tflite-float32": one, "tflite-int8": other})["tflite-int8"]
    assert (share.hits, share.n) == (1, 2)


def test_agreement_needs_a_float_variant() -> None:
    with pytest.raises(UsageError, match="no tflite-float32 to compare with: tflite-int8"):
        agreement({"tflite-int8": np.zeros((1, 2), np.float32)})
