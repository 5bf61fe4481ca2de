"""TFLite's detection postprocessing: boxes, classes, scores and their count, in outputs of their own."""

from __future__ import annotations

from edge_sdk.contract.detector import DetectionTensors
from edge_sdk.contract.values import TensorSpec

from .shapes import HeadModel, refusal, squeezed

__all__ = ["tflite_detection_postprocess"]


def tflite_detection_postprocess(model: HeadModel) -> DetectionTensors:
    """Four outputs; which is which follows from shapes and names.

    Classes and scores have the same shape. They are told apart by their names, or by the numbers
    that TensorFlow gives the outputs: ``TFLite_Detection_PostProcess`` and ``:1``, ``:2``, ``:3`` are
    boxes, classes, scores and count, and ``StatefulPartitionedCall:3``, ``:2``, ``:1``, ``:0`` likewise.

    Raises:
        SpecError: The outputs are not those of this head, or cannot be told apart.
    """
    boxes = [spec for spec in model.tensors if len(spec.shape) == 3 and spec.shape[-1] == 4]
    counts = [spec for spec in model.tensors if squeezed(spec) == ()]
    rest = [spec for spec in model.tensors if spec not in boxes and spec not in counts]
    if len(boxes) != 1 or len(counts) != 1 or len(rest) != 2:
        raise refusal(model, "outputs [1, n, 4], [1, n], [1, n] and [1]")
    classes, scores = _told_apart(model, rest[0], rest[1], boxes[0])
    return DetectionTensors(
        boxes=boxes[0].name, classes=classes.name, scores=scores.name, count=counts[0].name
    )


def _told_apart(
    model: HeadModel, one: TensorSpec, other: TensorSpec, boxes: TensorSpec
) -> tuple[TensorSpec, TensorSpec]:
    for classes, scores in ((one, other), (other, one)):
        if "class" in classes.name.lower() or "score" in scores.name.lower():
            return classes, scores
    numbers = [_number(spec.name) for spec in (boxes, one, other)]
    if numbers[0] == 0 and {*numbers[1:]} == {1, 2}:
        return (one, other) if numbers[1] == 1 else (other, one)
    if numbers[0] == 3 and {*numbers[1:]} == {1, 2}:
        return (one, other) if numbers[1] == 2 else (other, one)
    raise refusal(model, "names that tell classes from scores")


def _number(name: str) -> int:
    _, _, number = name.rpartition(":")
    return int(number) if number.isdecimal() else 0
