"""A detector's answer to a picture, read in several ways: the model itself is asked once."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edge_sdk.contract.detector import DetectionOutput
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Array, Detections, Pixels
from edge_sdk.decode.detections import DetectionDecoder, detection_decoder
from edge_sdk.decode.raw_detections import RawDetections, without_empty_boxes
from edge_sdk.errors import BackendError, ModelError, SpecError
from edge_sdk.image.placement import Placement
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.image_feed import ImageFeed

from ..sources.source_model import SourceModel

__all__ = ["PictureReader", "read_boxes", "refusing_spec"]


class PictureReader:
    """Asks the trained model, and decodes what it says.

    Args:
        source: The model.
        image: What it is fed.
        n_labels: How many labels it has.
    """

    def __init__(self, source: SourceModel, image: ImageInput, n_labels: int) -> None:
        self._backend: Backend = source.backend
        self._image, self._n_labels = image, n_labels
        self._feed = ImageFeed(image, source.backend, {})

    def decoder(self, output: DetectionOutput) -> DetectionDecoder:
        """What reads answers in one way.

        Raises:
            ModelError: The outputs cannot be read so.
        """
        decoder = detection_decoder(output, self._image, self._n_labels)
        decoder.check(self._backend.outputs)
        return decoder

    def ask(self, pixels: Pixels) -> tuple[Mapping[str, Array], Placement]:
        """What the model says of a picture, valid until it is asked again, and where that lies in its input.

        Raises:
            BackendError: It cannot be run.
        """
        fed, placement = self._feed.tensors(pixels)
        return self._backend.infer(fed), placement


def read_boxes(decoder: DetectionDecoder, answers: Mapping[str, Array], placement: Placement) -> Detections:
    """As :meth:`edge_sdk.inference.image_detector.ImageDetector.detect` does.

    Raises:
        ModelError, BackendError: It cannot be read so.
    """
    found = decoder(answers)
    boxes = placement.to_picture(found.boxes)
    return Detections(*without_empty_boxes(RawDetections(boxes, found.scores, found.labels)))


def refusing_spec(
    error: ModelError | BackendError, answers: Mapping[str, Array]
) -> SpecError | ModelError | BackendError:
    """What finite numbers cannot be, the spec says of them, so that it is wrong; of others the model is.

    Args:
        error: Why they cannot be read.
        answers: What the model gives.
    """
    if not all(np.isfinite(values).all() for values in answers.values()):
        return error
    return SpecError(error.message, hint=error.hint)
