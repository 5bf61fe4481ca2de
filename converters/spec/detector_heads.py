"""Detector heads by name: what a person need not describe, because it is always the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from edge_sdk.contract.detector import DetectionOutput
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.nearest_name import nearest_hint
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import SpecError

from .heads.anchored import blazeface, detr, ssd_mobilenet
from .heads.shapes import HeadModel
from .heads.tflite_postprocess import tflite_detection_postprocess
from .heads.yolo import fastestdet, finished_rows, yolov3, yolov5, yolov8, yolox

__all__ = ["HEADS", "head_preset"]

HEADS: Mapping[str, Callable[[HeadModel], DetectionOutput]] = MappingProxyType(
    {
        "yolov3": yolov3,
        "yolov5": yolov5,
        "yolov8": yolov8,
        "yolo11": yolov8,
        "yolov10": finished_rows,
        "yolo_nms": finished_rows,
        "yolox": yolox,
        "fastestdet": fastestdet,
        "ssd_mobilenet": ssd_mobilenet,
        "blazeface": blazeface,
        "detr": detr,
        "tflite_detection_postprocess": tflite_detection_postprocess,
    }
)
"""What describes each head."""


def head_preset(
    name: str, image: ImageInput, n_labels: int, tensors: Sequence[TensorSpec]
) -> DetectionOutput:
    """Describe a head that is known by name.

    Args:
        name: One of :data:`HEADS`.
        image: The model's input.
        n_labels: How many labels there are, without a background.
        tensors: The model's outputs.

    Raises:
        SpecError: There is no such head, or the outputs are not those of it; the hint lists them.
    """
    head = HEADS.get(name)
    if head is None:
        raise SpecError(f"there is no detector head '{name}'", hint=nearest_hint(name, HEADS))
    return head(HeadModel(name, image, n_labels, tensors))
