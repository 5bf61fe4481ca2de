"""FastestDet from the authors' file to a bundle, on real photos."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conversions import report_of
from fastestdet_reference import decoded_by_authors, fed_by_authors

from converters import convert
from converters.data.pictures import read_boxes
from converters.preflight.preflight import is_installed
from converters.proof.average_precision import average_precision
from converters.spec.label_file import read_label_set
from converters.variants.onnx_operations import read_onnx_operations
from edge_sdk.contract.values import Detections
from edge_sdk.errors import SpecError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.inference.open import open_backend

FASTESTDET = """
name = "fastestdet"
version = "1.0.0"
task = "detect"
label_set = "coco"
[detector]
head = "fastestdet"
[image]
width = 352
height = 352
layout = "nchw"
preprocessing = "unit"
color = "{color}"
interpolation = "opencv_bilinear"
[default_rule]
threshold = 0.5
"""


def test_fastestdet_on_photos_is_as_precise_as_by_its_authors_decoding(
    shared_data: Path, tmp_path: Path
) -> None:
    model = shared_data / "models/fastestdet/FastestDet.onnx"
    photos = shared_data / "images/voc100"
    (tmp_path / "fastestdet.toml").write_text(FASTESTDET.format(color="bgr"))
    bundle = convert(
        model,
        spec=tmp_path / "fastestdet.toml",
        evaluation=photos,
        output=tmp_path / "x.edge",
        variants=["onnx"],
    )
    (variant,) = bundle.manifest.variants
    pictures = read_boxes(photos, read_label_set(Path("x"), "coco"))
    with open_backend(model.read_bytes(), "onnx") as backend:
        found = [_by_its_authors(backend, picture.path) for picture in pictures.samples]
    wanted = average_precision(pictures, found)
    assert wanted.map50 > 0.6
    assert variant.metric.value == pytest.approx(wanted.map50, abs=0.005)
    golden = np.load(io.BytesIO(bundle.read(bundle.manifest.golden.inputs)))
    assert golden.shape[1:] == (330, 440, 3)


def test_fastestdet_becomes_float16_and_int8_with_its_heads_in_float(
    shared_data: Path, tmp_path: Path
) -> None:
    photos = sorted((shared_data / "images/voc100/images").glob("*.jpg"))
    for folder, chosen in (("calibration", photos[1::2]), ("evaluation", photos[::2])):
        for photo in chosen:
            for source, name in ((photo, photo.name), (_annotation(photo), f"{photo.stem}.xml")):
                target = tmp_path / folder / source.parent.name / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
    (tmp_path / "fastestdet.toml").write_text(FASTESTDET.format(color="bgr"))
    bundle = convert(
        shared_data / "models/fastestdet/FastestDet.onnx",
        spec=tmp_path / "fastestdet.toml",
        calibration=tmp_path / "calibration",
        evaluation=tmp_path / "evaluation",
        output=tmp_path / "x.edge",
        max_drop=0.15,
    )
    variants = {variant.name: variant for variant in bundle.manifest.variants}
    assert set(variants) == {"onnx", "onnx-float16", "onnx-int8"}
    assert abs(variants["onnx-float16"].drop) < 0.01
    assert variants["onnx-int8"].drop < 0.1
    layers = [item for item in read_onnx_operations(bundle.read("models/onnx-int8.onnx")) if item.is_layer]
    assert [item.is_float for item in layers].count(True) == 3  # boxes, objectness and classes
    assert all(item["lint"] == [] for item in report_of(bundle)["variants"])
    if is_installed():
        assert all(variant.build_check and variant.build_check.passed for variant in variants.values())


def _annotation(photo: Path) -> Path:
    return photo.parent.parent / "annotations" / f"{photo.stem}.xml"


def test_fastestdet_with_swapped_channels_is_refused_on_photos(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "fastestdet.toml").write_text(FASTESTDET.format(color="rgb"))
    with pytest.raises(SpecError, match="with color = 'bgr', mAP50 is"):
        convert(
            shared_data / "models/fastestdet/FastestDet.onnx",
            spec=tmp_path / "fastestdet.toml",
            evaluation=shared_data / "images/voc100",
            output=tmp_path / "x.edge",
        )


def test_fastestdet_on_cropped_photos_is_refused_as_it_was_trained_on_stretched_ones(
    shared_data: Path, tmp_path: Path
) -> None:
    spec = FASTESTDET.format(color="bgr").replace("[image]", '[image]\nresize = "crop"')
    (tmp_path / "fastestdet.toml").write_text(spec)
    with pytest.raises(SpecError, match=r"with resize = 'stretch', mAP50-95 is 0\.39\d instead of 0\.2\d\d"):
        convert(
            shared_data / "models/fastestdet/FastestDet.onnx",
            spec=tmp_path / "fastestdet.toml",
            evaluation=shared_data / "images/voc100",
            output=tmp_path / "x.edge",
        )


def _by_its_authors(backend: Any, path: Path) -> Detections:
    pixels = read_picture(path)
    height, width, _ = pixels.shape
    (output,) = backend.infer({"input.1": fed_by_authors(pixels)}).values()
    kept = decoded_by_authors(output, width, height, least_score=0.05, iou_threshold=0.45)
    boxes = np.array([item.box for item in kept], dtype=np.float32).reshape(-1, 4)
    boxes = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
    scores = np.array([item.score for item in kept], dtype=np.float32)
    return Detections(boxes, scores, np.array([item.label for item in kept], dtype=np.int64))
