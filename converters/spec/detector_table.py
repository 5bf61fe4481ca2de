"""``[detector]`` of a SPEC.toml: how outputs become boxes, by the name of a known head or in full.

A known head, with parts of it changed::

    [detector]
    head = "yolov8"
    least_score = 0.1

    [detector.suppression]
    iou_threshold = 0.6

In full, the keys are those of the manifest (:mod:`edge_sdk.contract.detector`)::

    [detector]
    decoder = "candidate_boxes"
    class_activation = "sigmoid"

    [detector.coding]
    coding = "direct"
    form = "center_size"

    [[detector.scales]]
    box = { axes = ["batch", "values", "candidates"] }
    classes = { axes = ["batch", "values", "candidates"], start = 4 }

A scale may name ``priors_file``: a CSV of center x, center y, width, height as shares, a line for
each candidate.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edge_sdk.contract.detector import DetectionOutput
from edge_sdk.contract.detector_checks import check_detector
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.nearest_name import nearest_hint
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import ManifestError, SpecError
from edge_sdk.toml_file import choices_hint, refuse_unknown_keys

from .detector_accept import read_accepted
from .detector_heads import HEADS, head_preset
from .grid_stride import require_strides

__all__ = ["DetectorTable"]

_PRIOR_NUMBERS = 4
_FINISHED = ("detection_rows", "detection_tensors")


@dataclass(frozen=True)
class DetectorTable:
    """The table as it is written; the model's outputs are needed to complete it.

    Attributes:
        path: The spec, for messages and files beside it.
        content: Keys and values.
        least_threshold: The lowest of the rules' thresholds.
    """

    path: Path
    content: Mapping[str, Any]
    least_threshold: float = 1.0

    def __post_init__(self) -> None:
        head = self.content.get("head")
        if head is None and "decoder" not in self.content:
            raise SpecError(
                f"{self.path}: [detector] needs a head, or a decoder described in full",
                hint=f"known heads: {', '.join(HEADS)}",
            )
        if head is not None and str(head) not in HEADS:
            raise SpecError(
                f"{self.path}: there is no detector head '{head}'", hint=nearest_hint(str(head), HEADS)
            )
        if head is None:
            self._convert(self._with_priors(self._described()))

    def complete(self, image: ImageInput, n_labels: int, outputs: tuple[TensorSpec, ...]) -> DetectionOutput:
        """The manifest's output.

        Args:
            image: The model's input.
            n_labels: How many labels the spec has.
            outputs: What the model gives.

        Raises:
            SpecError: A key is unknown or contradicts another, or the head does not fit the outputs.
        """
        own = self._described()
        head = self.content.get("head")
        if head is None:
            output = self._convert(self._with_priors(own), image)
            require_strides(output, image)
            return output
        known = msgspec.to_builtins(head_preset(head, image, n_labels, outputs))
        return self._convert(self._with_priors(_merged(known, own)), image)

    @property
    def accepted(self) -> dict[str, str]:
        """Why a contradiction of the model is no mistake, by key."""
        return read_accepted(self.path, self.content)

    def _described(self) -> dict[str, Any]:
        """The manifest's own keys."""
        return {key: value for key, value in self.content.items() if key not in ("head", "accept")}

    def _convert(self, content: dict[str, Any], image: ImageInput | None = None) -> DetectionOutput:
        if content.get("decoder") in _FINISHED and content.get("unread") is None:
            content = {**content, "unread": 0}  # what stands in a row unsaid is refused
        expected = msgspec.inspect.type_info(DetectionOutput)
        refuse_unknown_keys(content, expected, self.path, "detector.", SpecError)
        try:
            output: DetectionOutput = msgspec.convert(content, DetectionOutput)
            check_detector(output, image)
        except msgspec.ValidationError as error:
            raise SpecError(
                f"{self.path}: [detector]: {error}", hint=choices_hint(error, expected)
            ) from error
        except ManifestError as error:
            raise SpecError(f"{self.path}: [detector]: {error}") from error
        if self.least_threshold < output.least_score:
            raise SpecError(
                f"{self.path}: a rule has the threshold {self.least_threshold:g}, but the detector leaves "
                f"out what scores below {output.least_score:g}",
                hint=f"under [detector] set least_score = {self.least_threshold:g} or lower, or raise the "
                "threshold",
            )
        return output

    def _with_priors(self, content: dict[str, Any]) -> dict[str, Any]:
        scales = content.get("scales")
        if not isinstance(scales, list):
            return content
        read = [self._scale(scale) if isinstance(scale, Mapping) else scale for scale in scales]
        return {**content, "scales": read}

    def _scale(self, scale: Mapping[str, Any]) -> dict[str, Any]:
        own = dict(scale)
        name = own.pop("priors_file", None)
        return own if name is None else {**own, "priors": _read_priors(self.path.parent / str(name))}


def _merged(known: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What is written replaces what is known, key by key; a table is merged, unless it is of another kind."""
    merged = dict(known)
    for key, value in own.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, Mapping) and _same_kind(before, value):
            merged[key] = _merged(before, value)
        else:
            merged[key] = value
    return merged


def _same_kind(known: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    return own.get("coding") in (None, known.get("coding"))


def _read_priors(path: Path) -> list[tuple[float, ...]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = [tuple(float(number) for number in row) for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, ValueError, csv.Error) as error:
        raise SpecError(
            f"cannot read priors_file {path}: {error}", hint="four numbers a line, no heading"
        ) from error
    wrong = [number for number, row in enumerate(rows, 1) if len(row) != _PRIOR_NUMBERS]
    if wrong or not rows:
        where = f"line {wrong[0]}" if wrong else "the file"
        raise SpecError(f"{path}: {where} does not hold four numbers: center x, center y, width, height")
    return rows
