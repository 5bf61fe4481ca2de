"""What a bundle's golden inputs become for a model: a real tensor to time it with."""

from __future__ import annotations

import numpy as np

from ..contract.bundle import Bundle
from ..contract.manifest import ClassesOutput, Variant
from ..contract.values import Array
from .backend import Backend
from .bundle_array import read_array
from .scorer import AudioScorer

__all__ = ["first_golden_tensors"]


def first_golden_tensors(bundle: Bundle, variant: Variant, backend: Backend) -> dict[str, Array]:
    """The first golden input, prepared as for :meth:`.Backend.infer`.

    Args:
        bundle: Holds the golden inputs.
        variant: Which variant ``backend`` has loaded.
        backend: Tells how the model takes its input.

    Raises:
        BundleError: The golden inputs cannot be read.
        ModelError: The model does not fit the manifest.
        MissingExtraError: Pictures cannot be prepared here.
    """
    manifest = bundle.manifest
    if manifest.modality == "audio":
        windows = read_array(
            bundle, manifest.golden.inputs, np.float32, (None, manifest.audio.window_samples)
        )
        scorer = AudioScorer(manifest.audio, manifest.classes, manifest.label_ids, backend)
        tensor: Array = scorer.tensor_for_window(windows[0])
    else:
        pictures = read_array(bundle, manifest.golden.inputs, np.uint8, (None, None, None, 3))
        tensor = _picture_tensor(bundle, variant, backend, pictures[0])
    return {backend.inputs[0].name: tensor}


def _picture_tensor(bundle: Bundle, variant: Variant, backend: Backend, picture: Array) -> Array:
    from .image_classifier import ImageClassifier  # a device that listens has no need of them
    from .image_detector import ImageDetector

    manifest = bundle.manifest
    output, image, labels = manifest.outputs[0], manifest.image, manifest.label_ids
    if isinstance(output, ClassesOutput):
        return ImageClassifier(image, output, labels, backend, variant.tensors).tensor_for(picture)
    return ImageDetector(image, output, labels, backend, variant.tensors).tensor_for(picture)
