"""Conversions of small models in one folder, as many tests make them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from converters import convert
from edge_sdk.contract.bundle import Bundle

__all__ = ["ALL_VARIANTS", "DEFAULT_VARIANTS", "convert_in", "report_of"]

DEFAULT_VARIANTS = (
    "tflite-float32",
    "tflite-float16",
    "tflite-dynamic",
    "tflite-int8",
    "tflite-mixed",
    "onnx-float32",
    "onnx-float16",
    "onnx-int8",
)
"""What a Keras model is made into when nothing is said."""

ALL_VARIANTS = (*DEFAULT_VARIANTS[:5], "tflite-int16x8", *DEFAULT_VARIANTS[5:], "onnx-mixed")


def convert_in(place: Path, model: str | Path, output: Path, **changed: Any) -> Bundle:
    """Convert a model with the ``spec.toml`` and the ``evaluation`` of a folder.

    Args:
        place: The folder.
        model: Its name there, or a path of its own.
        output: The bundle.
        changed: What :func:`converters.convert` is given otherwise, or in addition.
    """
    given: dict[str, Any] = {"spec": place / "spec.toml", "evaluation": place / "evaluation"} | changed
    return convert(place / model, output=output, **given)


def report_of(bundle: Bundle) -> Any:
    """What ``report.json`` says."""
    return json.loads(bundle.read("report.json"))
