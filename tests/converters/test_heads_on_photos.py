"""Heads of families whose weights cannot be had, on photos: FastestDet's boxes, told in their numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reheaded_fastestdet import REHEADED, reheaded

from converters import convert
from converters.spec.spec_file import load_spec
from edge_sdk.contract.values import Detections
from edge_sdk.image.picture_file import read_picture
from edge_sdk.inference.image_detector import ImageDetector
from edge_sdk.inference.open import open_backend

# In five others FastestDet sees things whose center is outside the picture, where no cell of YOLOv3 is.
_PHOTOS = slice(12, 24)
_SPEC = """
name = "fastestdet"
version = "1.0.0"
task = "detect"
label_set = "coco"
[detector]
head = "{head}"
{changed}
[image]
width = 352
height = 352
layout = "nchw"
preprocessing = "unit"
color = "bgr"
interpolation = "opencv_bilinear"
[default_rule]
threshold = 0.5
"""
_SSD_IOU = "suppression = { iou_threshold = 0.6 }"  # as ssd_mobilenet has it by itself
_FASTESTDETS_IOU = "suppression = { iou_threshold = 0.45 }"


@pytest.fixture(scope="module")
def fastestdet(shared_data: Path) -> bytes:
    return (shared_data / "models/fastestdet/FastestDet.onnx").read_bytes()


def write_spec(folder: Path, head: str, changed: str = "") -> Path:
    path = folder / f"{head}.toml"
    path.write_text(_SPEC.format(head=head, changed=changed))
    return path


def found_in(photos: list[Path], model: bytes, spec_path: Path) -> list[Detections]:
    """What a device finds with a spec's head."""
    spec = load_spec(spec_path)
    assert spec.image is not None
    assert spec.detector is not None
    with open_backend(model, "onnx") as backend:
        output = spec.detector.complete(spec.image, len(spec.labels), backend.outputs)
        detector = ImageDetector(spec.image, output, [label.id for label in spec.labels], backend)
        return [detector.detect(read_picture(photo)) for photo in photos]


@pytest.mark.parametrize("head", REHEADED)
def test_a_head_finds_on_photos_what_fastestdets_own_finds(
    head: str, fastestdet: bytes, shared_data: Path, tmp_path: Path
) -> None:
    photos = sorted((shared_data / "images/voc100/images").glob("*.jpg"))[_PHOTOS]
    like_ssd = _SSD_IOU if head == "ssd_mobilenet" else ""
    wanted = found_in(photos, fastestdet, write_spec(tmp_path, "fastestdet", like_ssd))
    found = found_in(photos, reheaded(fastestdet, head), write_spec(tmp_path, head))
    assert sum(len(one) for one in wanted) > 800
    for ours, theirs in zip(found, wanted, strict=True):
        assert_same(ours, theirs)


def assert_same(found: Detections, wanted: Detections) -> None:
    """As many boxes, each with its partner: the same label, corners and score."""
    assert len(found) == len(wanted)
    assert (np.diff(found.scores) <= 0).all()
    left = set(range(len(wanted)))
    for box, score, label in zip(found.boxes, found.scores, found.labels, strict=True):
        partners = [
            other
            for other in left
            if wanted.labels[other] == label
            and abs(wanted.scores[other] - score) < 1e-4
            and np.abs(wanted.boxes[other] - box).max() < 0.1
        ]
        assert partners, f"no partner of {box} of label {label} with score {score}"
        left.remove(partners[0])


@pytest.fixture(scope="module")
def own_map50(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    return map50_of(shared_data, tmp_path_factory.mktemp("own"), None, "fastestdet")


@pytest.mark.parametrize("head", ["yolov3", "ssd_mobilenet"])  # grids and logits; priors and a softmax
def test_a_bundle_of_a_head_is_as_precise_on_photos_as_fastestdets(
    head: str, own_map50: float, shared_data: Path, tmp_path: Path
) -> None:
    assert own_map50 > 0.6
    found = map50_of(shared_data, tmp_path, head, head)
    assert found == pytest.approx(own_map50, abs=0.005)


def map50_of(shared_data: Path, folder: Path, reheaded_as: str | None, head: str) -> float:
    content = (shared_data / "models/fastestdet/FastestDet.onnx").read_bytes()
    model = folder / "model.onnx"
    model.write_bytes(content if reheaded_as is None else reheaded(content, reheaded_as))
    changed = _FASTESTDETS_IOU if head == "ssd_mobilenet" else ""
    bundle = convert(
        model,
        spec=write_spec(folder, head, changed),
        evaluation=shared_data / "images/voc100",
        output=folder / "x.edge",
        variants=["onnx"],
    )
    (variant,) = bundle.manifest.variants
    return variant.metric.value
