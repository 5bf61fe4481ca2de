"""BlazeFace, converted as it comes, finds the faces in photos and nothing where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters import convert
from edge_sdk.contract.bundle import Bundle
from edge_sdk.demo.wheels import cache_folder
from edge_sdk.errors import DatasetError, InputError
from examples.faces.models import MODELS, write
from examples.faces.pictures import lay_out


@pytest.fixture(scope="module")
def pictures(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces")
    try:
        lay_out(shared_data / "images", folder, cache_folder())
    except InputError as error:
        pytest.skip(f"the astronaut's photo cannot be had: {error.message}")
    return folder


@pytest.mark.parametrize("name", MODELS)
def test_faces_are_found_where_they_were_marked(name: str, pictures: Path, tmp_path: Path) -> None:
    bundle = converted(name, pictures, tmp_path, variants=["tflite"])
    (variant,) = bundle.manifest.variants
    assert (variant.name, variant.metric.name, variant.metric.value) == ("tflite", "map50", 1.0)


def test_the_detector_becomes_onnx_too(pictures: Path, tmp_path: Path) -> None:
    bundle = converted("short_range", pictures, tmp_path, variants=["onnx-float16", "onnx", "tflite"])
    assert [variant.name for variant in bundle.manifest.variants] == ["tflite", "onnx", "onnx-float16"]
    assert bundle.manifest.stages[0].variants == ["tflite", "onnx", "onnx-float16"]
    assert all(variant.max_abs_difference < 1e-4 for variant in bundle.manifest.variants)


def test_photos_that_are_not_there_are_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="3 of 3 photos are not in"):
        lay_out(tmp_path / "none", tmp_path / "out", cache_folder())
    assert not (tmp_path / "out").exists()


def converted(name: str, pictures: Path, folder: Path, *, variants: list[str]) -> Bundle:
    try:
        model = write(name, folder, cache_folder())
    except InputError as error:
        pytest.skip(f"the detector cannot be had: {error.message}")
    return convert(
        model,
        spec=model.with_suffix(".toml"),
        evaluation=pictures,
        output=folder / "faces.edge",
        variants=variants,
    )
