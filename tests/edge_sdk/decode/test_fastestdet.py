"""FastestDet on photos, against the decoding of its authors written as a loop."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from head_decoding import decode_by_name
from slow_boxes import Found, assert_same_boxes, centered, slow_nms, slow_sigmoid

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
    stretched = cv2.resize(picture, (352, 352), interpolation=cv2.INTER_LINEAR)
    tensor = stretched.transpose(2, 0, 1)[None].astype(np.float32) / 255
    output: Array = session.run(None, {"input.1": tensor})[0]
    return output


def decoded_by_hand(output: Array, least: float, iou_threshold: float) -> list[Found]:
    """``handle_preds`` of FastestDet's ``utils/tool.py``: one box a cell, of its best class."""
    found = []
    for row, column in np.ndindex(22, 22):
        objectness, tx, ty, tw, th, *classes = output[0, :, row, column].tolist()
        label = max(range(80), key=classes.__getitem__)
        score = objectness**0.6 * classes[label] ** 0.4
        if score >= least:
            x, y = (column + math.tanh(tx)) / 22, (row + math.tanh(ty)) / 22
            box = centered(352 * x, 352 * y, 352 * slow_sigmoid(tw), 352 * slow_sigmoid(th))
            found.append(Found(box, score, label))
    return slow_nms(found, iou_threshold)


def test_boxes_on_photos_are_those_of_the_reference(
    session: onnxruntime.InferenceSession, shared_data: Path
) -> None:
    photos = sorted((shared_data / "images/fastestdet").glob("*.jpg"))
    photos += sorted((shared_data / "images/voc100/images").glob("*.jpg"))[:20]
    boxes = 0
    for photo in photos:
        output = infer(session, photo)
        expected = decoded_by_hand(output, least=0.05, iou_threshold=0.45)
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
