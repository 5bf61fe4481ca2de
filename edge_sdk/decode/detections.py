"""The decoder for a detector, whatever its form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..contract.detector import CandidateBoxes, DetectionRows, DetectionTensors
from ..contract.image import ImageInput
from ..contract.values import Array, TensorSpec
from .candidates import CandidateDecoder
from .finished_boxes import RowsDecoder, TensorsDecoder
from .raw_detections import RawDetections

__all__ = ["DetectionDecoder", "RawDetections", "detection_decoder"]


class DetectionDecoder(Protocol):
    """From a detector's outputs to boxes in pixels of its input. For one thread."""

    def check(self, outputs: Sequence[TensorSpec]) -> None:
        """Hold the description against a model's outputs, as far as these have fixed extents.

        Raises:
            ModelError: An output is missing or of another shape; names it, and both shapes.
        """
        ...

    def __call__(self, outputs: Mapping[str, Array]) -> RawDetections:
        """Boxes of one picture, best first.

        Raises:
            ModelError: An output is missing or of another shape than described.
            BackendError: A number that is not finite, or that cannot be what it should be.
        """
        ...


def detection_decoder(
    output: CandidateBoxes | DetectionTensors | DetectionRows, image: ImageInput, n_labels: int
) -> DetectionDecoder:
    """Make the decoder that a manifest describes.

    Args:
        output: The description, already checked by the manifest.
        image: The model's input, whose pixels boxes are in.
        n_labels: How many labels the manifest has.
    """
    if isinstance(output, CandidateBoxes):
        return CandidateDecoder(output, image, n_labels)
    if isinstance(output, DetectionTensors):
        return TensorsDecoder(output, image, n_labels)
    return RowsDecoder(output, image, n_labels)
