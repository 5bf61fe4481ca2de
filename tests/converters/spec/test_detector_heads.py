from __future__ import annotations

import pytest

from converters.spec.detector_heads import HEADS, head_preset
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import SpecError

IMAGE = ImageInput(width=416, height=416)


def test_unknown_head_is_refused_and_the_nearest_offered() -> None:
    with pytest.raises(SpecError, match="no detector head 'yolo8'") as caught:
        head_preset("yolo8", IMAGE, 80, ())
    assert caught.value.hint == "did you mean 'yolov8'?"


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(
    "tensors",
    [
        (),
        (TensorSpec("features", (1, 1280), "float32"),),
        (TensorSpec("open", (None, None, None), "float32"), TensorSpec("second", (1, 7), "float32")),
    ],
)
def test_outputs_of_another_model_are_refused_and_listed(head: str, tensors: tuple[TensorSpec, ...]) -> None:
    with pytest.raises(SpecError, match=f"head '{head}' needs ") as caught:
        head_preset(head, IMAGE, 80, tensors)
    assert caught.value.hint is not None
    assert all(spec.name in caught.value.hint for spec in tensors)


@pytest.mark.parametrize(
    ("head", "shape"),
    [
        ("yolov3", (1, 255, 13, 13)),  # one scale is no YOLOv3
        ("yolov5", (1, 25200, 85)),
        ("yolov8", (1, 84, 8400)),
        ("yolox", (1, 3549, 85)),
        ("fastestdet", (1, 85, 22, 22)),
    ],
)
def test_labels_too_few_for_the_outputs_are_refused(head: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(SpecError, match="needs"):
        head_preset(head, IMAGE, 79, [TensorSpec("output", shape, "float32")])


def test_classes_and_scores_that_cannot_be_told_apart_are_refused() -> None:
    shapes = [(1, 10, 4), (1, 10), (1, 10), (1,)]
    tensors = [TensorSpec(f"output_{n}", shape, "float32") for n, shape in enumerate(shapes)]
    with pytest.raises(SpecError, match="names that tell classes from scores"):
        head_preset("tflite_detection_postprocess", IMAGE, 80, tensors)


def test_an_open_batch_axis_as_keras_exports_it_is_one_picture() -> None:
    output = TensorSpec("output", (None, 84, 8400), "float32")
    made = head_preset("yolov8", ImageInput(width=640, height=640), 80, (output,))
    assert made == head_preset(
        "yolov8", ImageInput(width=640, height=640), 80, (TensorSpec("output", (1, 84, 8400), "float32"),)
    )
