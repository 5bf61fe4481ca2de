"""A picture in, scores out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..contract.image import ImageInput
from ..contract.manifest import ClassesOutput
from ..contract.values import Array, Float32Array, Pixels
from ..decode.classes import decode_classes
from .backend import Backend
from .image_feed import ImageFeed
from .output_name import classes_output_name

__all__ = ["ImageClassifier"]


class ImageClassifier:
    """Scores pictures. One object, one thread; the backend stays the caller's to close.

    Args:
        image: The manifest's input.
        output: The manifest's output.
        label_ids: The manifest's labels, in the order of the model's outputs.
        backend: The loaded model.
        tensors: What this model file calls the manifest's tensors, where it calls them otherwise.

    Raises:
        ModelError: Input or output of the model do not fit the manifest; names both shapes.
    """

    def __init__(
        self,
        image: ImageInput,
        output: ClassesOutput,
        label_ids: Sequence[str],
        backend: Backend,
        tensors: Mapping[str, str] | None = None,
    ) -> None:
        names = tensors or {}
        self.image = image
        self.label_ids = tuple(label_ids)
        self._output = output
        self._backend = backend
        self._feed = ImageFeed(image, backend, names)
        self._output_name = classes_output_name(
            names.get(output.name, output.name), backend, len(self.label_ids)
        )

    def score(self, pixels: Pixels) -> Float32Array:
        """Score one picture.

        Args:
            pixels: uint8, shape ``[height, width, 3]``, BGR, upright.

        Returns:
            Scores 0..1 in the order of the labels, shape ``[labels]``.

        Raises:
            ImageError: It is no picture.
            BackendError: The engine failed, or an output is no finite number.
        """
        fed, _ = self._feed.tensors(pixels)
        answers = self._backend.infer(fed)
        return decode_classes(answers[self._output_name], self._output, len(self.label_ids))

    def tensor_for(self, pixels: Pixels) -> Array:
        """What the model is fed for one picture, with its batch axis: also for calibration."""
        return self._feed.tensor_for(pixels)
