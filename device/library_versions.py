"""Which inference libraries are installed, by the names and versions of their distributions."""

from __future__ import annotations

import contextlib
from importlib.metadata import PackageNotFoundError, version

__all__ = ["inference_versions", "installed_versions"]

_INFERENCE = (
    "ai-edge-litert",
    "tflite-runtime",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-openvino",
    "tensorrt",
    "tensorrt-rtx-cu13-bindings",
    "cuda-bindings",
)


def inference_versions() -> dict[str, str]:
    """Those that run models: what a measured time depends on."""
    return installed_versions(_INFERENCE)


def installed_versions(distributions: tuple[str, ...]) -> dict[str, str]:
    """Version by name, for each of these that is installed."""
    found = {}
    for name in distributions:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
