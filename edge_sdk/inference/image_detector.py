"""A picture in, boxes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import structs

from ..contract.detector import DetectionOutput
from ..contract.image import ImageInput
from ..contract.values import Array, Detections, Pixels
from ..decode.detections import detection_decoder
from ..decode.raw_detections import RawDetections, without_empty_boxes
from .backend import Backend
from .image_feed import ImageFeed

__all__ = ["ImageDetector"]

_MOVED_BY_WORSE = ("weighted", "merge")
"""Ways of suppression by which a worse box bears on where a better one stands."""


class ImageDetector:
    """Finds things in pictures. One object, one thread; the backend stays the caller's to close.

    Args:
        image: The manifest's input.
        output: The manifest's output.
        label_ids: The manifest's labels, in the order of the model's classes.
        backend: The loaded model.
        tensors: What this model file calls the manifest's tensors, where it calls them otherwise.
        least_score: What scores less is of no use to the caller. What is left out then, most of it before it
            is decoded, changes nothing in the rest.

    Raises:
        ModelError: Input or outputs of the model do not fit the manifest; names both shapes.
    """

    def __init__(
        self,
        image: ImageInput,
        output: DetectionOutput,
        label_ids: Sequence[str],
        backend: Backend,
        tensors: Mapping[str, str] | None = None,
        *,
        least_score: float = 0.0,
    ) -> None:
        names = tensors or {}
        self.image = image
        self.label_ids = tuple(label_ids)
        self._backend = backend
        self._feed = ImageFeed(image, backend, names)
        self._ours = _manifest_names([spec.name for spec in backend.outputs], names)
        self._renamed = self._ours != {spec.name: spec.name for spec in backend.outputs}
        self._decode = detection_decoder(_raised(output, least_score), image, len(self.label_ids))
        self._decode.check(
            [
                structs.replace(spec, name=self._ours[spec.name])
                for spec in backend.outputs
                if spec.name in self._ours
            ]
        )

    def detect(self, pixels: Pixels) -> Detections:
        """Find everything at or over the output's ``least_score``, or the caller's where that is higher.

        Thresholds are the caller's to apply.

        Args:
            pixels: uint8, shape ``[height, width, 3]``, BGR, upright.

        Returns:
            Boxes in pixels of the picture and within it, best first. What lies beside the picture, in the
            padding alone, is left out.

        Raises:
            ImageError: It is no picture.
            BackendError: The engine failed, or an output is no finite number.
        """
        fed, placement = self._feed.tensors(pixels)
        answers = self._backend.infer(fed)
        if self._renamed:
            answers = {ours: answers[theirs] for theirs, ours in self._ours.items()}
        found = self._decode(answers)
        boxes = placement.to_picture(found.boxes)
        return Detections(*without_empty_boxes(RawDetections(boxes, found.scores, found.labels)))

    def tensor_for(self, pixels: Pixels) -> Array:
        """What the model is fed for one picture, with its batch axis: also for calibration."""
        return self._feed.tensor_for(pixels)


def _manifest_names(outputs: Sequence[str], tensors: Mapping[str, str]) -> dict[str, str]:
    """What the manifest calls each output of a model file.

    An output that goes by the manifest's name of another one is none of the manifest's.
    """
    renamed = {theirs: ours for ours, theirs in tensors.items()}
    return {name: renamed.get(name, name) for name in outputs if name in renamed or name not in tensors}


def _raised(output: DetectionOutput, least_score: float) -> DetectionOutput:
    """Suppression only ever lets better boxes bear on worse ones, so that the worse can go before.

    But a weighted box takes its place from all that it drops, and worse boxes join those that are merged.
    """
    if least_score <= output.least_score or output.suppression.method in _MOVED_BY_WORSE:
        return output
    return structs.replace(output, least_score=min(least_score, 1.0))
