"""Boxes whose second corner lies left of the first, or above it: no device sees them, for they have no area.

A few come of a network that is not sure. Many say that their numbers are not the corners, or the sizes,
that they are taken for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import structs

from edge_sdk.contract.detector import DetectionOutput, DirectCoding, Suppression
from edge_sdk.contract.values import Array, Detections
from edge_sdk.decode.raw_detections import RawDetections, keeping_left_out
from edge_sdk.errors import BackendError, ModelError

from ..sources.source_model import SourceModel
from .box_counts import at_threshold
from .picture_reader import PictureReader, refusing_spec

__all__ = ["TurnedBoxes", "count_turned"]

_MANY, _SOME = 0.2, 0.01
_FEWEST = 3
_MOST = 10_000


@dataclass(frozen=True)
class TurnedBoxes:
    """How many boxes over their threshold are turned.

    Attributes:
        n: These.
        boxes: All over their threshold, before overlapping ones are suppressed.
        pictures: In so many.
        corners: Whether they are read as corners.
    """

    n: int
    boxes: int
    pictures: int
    corners: bool

    @property
    def are_many(self) -> bool:
        """So many that the spec must be wrong."""
        return self.n >= _FEWEST and self.n >= _MANY * self.boxes

    @property
    def are_some(self) -> bool:
        """So many that a person should look."""
        return self.n >= _FEWEST and self.n >= _SOME * self.boxes

    def told(self) -> str:
        """In words."""
        guess = (
            "are they coding.form = 'center_size' or 'corner_size'?"
            if self.corners
            else "are sizes or distances below 0 before an activation?"
        )
        return (
            f"{self.n} of {self.boxes} boxes over their threshold in {self.pictures} pictures are left out, "
            f"because their second corner is left of the first or above it: {guess}"
        )


def count_turned(
    source: SourceModel,
    output: DetectionOutput,
    reader: PictureReader,
    tensors: Sequence[Array],
    thresholds: Mapping[str, float],
    label_ids: Sequence[str],
) -> TurnedBoxes:
    """Look at what the decoder leaves out.

    Args:
        source: The trained model.
        output: How it is read.
        reader: Reads what it says.
        tensors: What it is fed for a few pictures.
        thresholds: By label id.
        label_ids: The model's labels.

    Raises:
        SpecError: Its numbers cannot be read so.
    """
    decode = reader.decoder(structs.replace(output, suppression=Suppression(method="none"), most=_MOST))
    n = boxes = 0
    for tensor in tensors:
        answers = source.backend.infer({source.input.name: tensor})
        try:
            with keeping_left_out() as left_out:
                found = decode(answers)
        except (ModelError, BackendError) as error:
            raise refusing_spec(error, answers) from error
        turned = sum(_turned(part, thresholds, label_ids) for part in left_out)
        n += turned
        boxes += turned + len(at_threshold(Detections(*found), thresholds, label_ids))
    coding = output.coding
    corners = isinstance(coding, DirectCoding) and coding.form == "corners"
    return TurnedBoxes(n, boxes, len(tensors), corners)


def _turned(left_out: RawDetections, thresholds: Mapping[str, float], label_ids: Sequence[str]) -> int:
    """Of these, not those that only have no width or no height."""
    over = at_threshold(Detections(*left_out), thresholds, label_ids).boxes
    return int(np.count_nonzero((over[:, 2:] < over[:, :2]).any(axis=1)))
