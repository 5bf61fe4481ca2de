"""SSD with prior boxes, MediaPipe's BlazeFace, and DETR: boxes and classes in outputs of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edge_sdk.contract.detector import (
    CandidateBoxes,
    DirectCoding,
    Grid,
    OffsetCoding,
    Part,
    Scale,
    Suppression,
)
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import TensorSpec

from .shapes import HeadModel, RowTensor, as_rows, refusal

__all__ = ["blazeface", "detr", "ssd_mobilenet"]

_BLAZEFACE_VALUES = 16  # a box and six key points
_PRIOR_STRIDES = (16, 32, 64, 128, 256, 512)
_LEAST_SCALE, _GREATEST_SCALE = 0.2, 0.95


def ssd_mobilenet(model: HeadModel) -> CandidateBoxes:
    """SSD on MobileNet as the TensorFlow Object Detection API exports it, before its postprocessing.

    Offsets in the order y, x, height, width, from the prior boxes of Liu et al., "SSD", 2016, with
    variances of 0.1 and 0.2; class 0 is the background. Logits become shares by softmax.

    Raises:
        SpecError: The outputs are not those of this head.
    """
    priors = _ssd_priors(model.image)
    boxes, classes = _two(model.tensors, 4, model.n_labels + 1)
    if boxes is None or classes is None or boxes.candidates != len(priors):
        raise refusal(
            model,
            f"an output of {len(priors)} candidates with 4 values and one with {model.n_labels + 1}, for "
            f"{model.n_labels} labels and a background",
        )
    scale = Scale(
        box=Part(tensor=boxes.name, axes=boxes.axes),
        classes=Part(tensor=classes.name, axes=classes.axes),
        priors=priors,
    )
    coding = OffsetCoding(
        order="yx", center_scale=0.1, center_unit="anchor", size_factor=0.2, size_unit="anchor"
    )
    return CandidateBoxes(
        scales=[scale],
        coding=coding,
        class_activation="softmax",
        background="first",
        several_classes=True,
        suppression=Suppression(iou_threshold=0.6),
    )


def blazeface(model: HeadModel) -> CandidateBoxes:
    """MediaPipe's face detectors: short range and front (128 px), back (256), full range (192).

    Anchors and thresholds are those of MediaPipe's graphs; key points are not read.

    Raises:
        SpecError: The outputs are not those of this head.
    """
    boxes, classes = _two(model.tensors, _BLAZEFACE_VALUES, model.n_labels)
    grids = _blazeface_grids(model.image, boxes.candidates if boxes else 0)
    if boxes is None or classes is None or not grids:
        raise refusal(model, "outputs [1, 896 or 2304, 16] and [1, 896 or 2304, 1], for one label")
    scale = Scale(
        box=Part(tensor=boxes.name, axes=boxes.axes),
        classes=Part(tensor=classes.name, axes=classes.axes),
        grids=grids,
    )
    coding = OffsetCoding(center_offset=0.5, center_unit="pixel", size_activation="none", size_unit="pixel")
    return CandidateBoxes(
        scales=[scale],
        coding=coding,
        class_activation="sigmoid",
        least_score=0.5,
        suppression=Suppression(method="weighted", iou_threshold=0.3),
    )


def detr(model: HeadModel) -> CandidateBoxes:
    """DETR (Carion et al., 2020): a softmax with the background last, no suppression.

    Raises:
        SpecError: The outputs are not those of this head.
    """
    boxes, classes = _two(model.tensors, 4, model.n_labels + 1)
    if boxes is None or classes is None or boxes.candidates != classes.candidates:
        raise refusal(
            model, f"an output of rows with 4 values and one with {model.n_labels + 1}, the background last"
        )
    scale = Scale(
        box=Part(tensor=boxes.name, axes=boxes.axes), classes=Part(tensor=classes.name, axes=classes.axes)
    )
    return CandidateBoxes(
        scales=[scale],
        coding=DirectCoding(form="center_size", units="shares"),
        class_activation="softmax",
        background="last",
        suppression=Suppression(method="none"),
    )


def _two(
    tensors: Sequence[TensorSpec], box_values: int, class_values: int
) -> tuple[RowTensor | None, RowTensor | None]:
    """Which output has the boxes, and which the classes. Alike in shape, the boxes come first."""
    if len(tensors) != 2:
        return None, None
    for first, second in (tensors, tuple(reversed(tensors))):
        boxes, classes = as_rows(first, box_values), as_rows(second, class_values)
        if boxes is not None and classes is not None:
            return boxes, classes
    return None, None


def _blazeface_grids(image: ImageInput, candidates: int) -> list[Grid]:
    """Anchors have a place and no size: that of 1 x 1 here only makes them countable."""
    width, height = image.width, image.height
    finest = 16 if (width, height) == (256, 256) else 8
    several = [
        Grid(rows=height // stride, columns=width // stride, anchors=[(1.0, 1.0)] * count)
        for stride, count in ((finest, 2), (2 * finest, 6))
    ]
    dense = [Grid(rows=height // 4, columns=width // 4)]
    for grids in (several, dense):
        if sum(grid.rows * grid.columns * max(1, len(grid.anchors)) for grid in grids) == candidates:
            return grids
    return []


def _ssd_priors(image: ImageInput) -> list[tuple[float, float, float, float]]:
    """The Object Detection API's grid anchors for SSD: six layers, scales 0.2 to 0.95.

    Layer by layer, row by row; in a cell 1:1, 2:1, 1:2, 3:1, 1:3 and 1:1 of the scale between; the
    first layer has three, of which the smallest is 0.1.
    """
    step = (_GREATEST_SCALE - _LEAST_SCALE) / (len(_PRIOR_STRIDES) - 1)
    scales = [_LEAST_SCALE + step * layer for layer in range(len(_PRIOR_STRIDES))] + [1.0]
    priors: list[tuple[float, float, float, float]] = []
    for layer, stride in enumerate(_PRIOR_STRIDES):
        rows, columns = math.ceil(image.height / stride), math.ceil(image.width / stride)
        scale, following = scales[layer], scales[layer + 1]
        if layer == 0:
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        else:
            shapes = [(scale, ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 1 / 3)]
            shapes.append((math.sqrt(scale * following), 1.0))
        sides = [(size * math.sqrt(ratio), size / math.sqrt(ratio)) for size, ratio in shapes]
        priors += [
            ((column + 0.5) / columns, (row + 0.5) / rows, width, height)
            for row in range(rows)
            for column in range(columns)
            for width, height in sides
        ]
    return priors
