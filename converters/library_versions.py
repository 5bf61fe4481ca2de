"""Which versions made a bundle: the same inputs give the same bytes only with the same libraries."""

from __future__ import annotations

import contextlib
from importlib import metadata

from .sources.source_model import SourceModel

__all__ = ["library_versions"]

_ALWAYS = ("edge-sdk", "numpy")
_BY_MODALITY = {
    "audio": ("soundfile", "soxr"),
    "image": ("opencv-contrib-python-headless", "pillow", "pycocotools"),
}
_TRAINING = ("tensorflow", "tensorflow-cpu", "keras")
_BY_FORMAT = {"tflite": ("ai-edge-litert",), "onnx": ("onnx", "onnxruntime")}
_TO_ONNX = ("tf2onnx",)


def library_versions(source: SourceModel, modality: str, formats: set[str]) -> dict[str, str]:
    """Versions of the libraries that took part, by distribution, in alphabetical order.

    Args:
        source: The trained model.
        modality: What it is fed, in the manifest's word.
        formats: Of the variants that were made.
    """
    names = [*_ALWAYS, *_BY_MODALITY[modality]]
    if source.traced is not None:
        names += _TRAINING
        names += _TO_ONNX if "onnx" in formats else ()
    for model_format in formats:
        names += _BY_FORMAT[model_format]
    versions: dict[str, str] = {}
    for name in sorted(names):
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions
