"""Detector heads that many models share, by name: what ``head`` in a SPEC.toml stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from edge_sdk.contract.detector import CandidateBoxes, DirectCoding, Part, Scale
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.manifest import DetectionOutput
from edge_sdk.contract.values import TensorSpec

__all__ = ["HEADS", "head_preset"]

_Outputs: TypeAlias = tuple[TensorSpec, ...]
_MakeHead: TypeAlias = Callable[[ImageInput, int, _Outputs], DetectionOutput]


def head_preset(name: str, image: ImageInput, n_labels: int, outputs: _Outputs) -> DetectionOutput:
    """The manifest's output for a known head.

    Args:
        name: One of :data:`HEADS`.
        image: The model's input.
        n_labels: How many labels there are.
        outputs: What the model gives.
    """
    return _HEADS[name](image, n_labels, outputs)


def _yolov8(_image: ImageInput, _n_labels: int, _outputs: _Outputs) -> DetectionOutput:
    return CandidateBoxes(
        scales=[
            Scale(
                box=Part(axes=["batch", "values", "candidates"]),
                classes=Part(axes=["batch", "values", "candidates"], start=4),
            )
        ],
        coding=DirectCoding(form="center_size"),
    )


_HEADS: dict[str, _MakeHead] = {"yolov8": _yolov8}

HEADS = tuple(_HEADS)
"""The names that are known."""
