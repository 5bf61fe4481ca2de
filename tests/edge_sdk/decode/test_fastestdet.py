"""FastestDet on photos, against the decoding of its authors written as a loop."""

from __future__ import annotations

from pathlib import Path

import cv2
import onnxruntime
import pytest
from fastestdet_reference import SIDE, decoded_by_authors, fed_by_authors
from head_decoding import decode_by_name
from slow_boxes import assert_same_boxes

from edge_sdk.contract.detector import Suppression
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array

IMAGE = ImageInput(width=352, height=352, layout="nchw", color="bgr", std=(255.0,))
PERSON, BICYCLE, CAR, CAT, DOG = 0, 1, 2, 15, 16


@pytest.fixture(scope="module")
def session(shared_data: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(shared_data / "models/fastestdet/FastestDet.onnx")


def infer(session: onnxruntime.InferenceSession, path: Path) -> Array:
    picture = cv2.imread(str(path))
    assert picture is not None
    output: Array = session.run(None, {"input.1": fed_by_authors(picture)})[0]
    return output


def test_boxes_on_photos_are_those_of_the_reference(
    session: onnxruntime.InferenceSession, shared_data: Path
) -> None:
    photos = sorted((shared_data / "images/fastestdet").glob("*.jpg"))
    photos += sorted((shared_data / "images/voc100/images").glob("*.jpg"))[:20]
    boxes = 0
    for photo in photos:
        output = infer(session, photo)
        expected = decoded_by_authors(output, SIDE, SIDE, least_score=0.05, iou_threshold=0.45)
        boxes += len(expected)
        assert_same_boxes(decode_by_name("fastestdet", IMAGE, 80, {"758": output}), expected)
    assert len(photos) == 25
    assert boxes > 200


def test_known_photo_shows_a_dog_a_bicycle_and_a_car(
    session: onnxruntime.InferenceSession, shared_data: Path
) -> None:
    output = infer(session, shared_data / "images/darknet/dog.jpg")
    found = decode_by_name(
        "fastestdet", IMAGE, 80, {"758": output}, least_score=0.4, suppression=Suppression(iou_threshold=0.4)
    )
    assert {DOG, BICYCLE} <= set(found.labels.tolist())
    assert PERSON not in found.labels
