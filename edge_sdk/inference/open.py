"""From a model's bytes to a backend: the one place that knows which module serves which format."""

from __future__ import annotations

import importlib.util

from ..contract.manifest import Manifest, ModelFormat, Variant
from ..errors import ManifestError, MissingExtraError, UsageError
from .backend import MAX_THREADS, Backend
from .engine import Engine, EngineBackend

__all__ = ["choose_variant", "engine_installed", "open_backend"]

_ENGINE_MODULES: dict[ModelFormat, tuple[str, ...]] = {
    "tflite": ("ai_edge_litert", "tflite_runtime", "tensorflow"),
    "onnx": ("onnxruntime",),
}


def open_backend(
    model: bytes,
    format: ModelFormat,  # noqa: A002  (the manifest's word)
    *,
    threads: int = 1,
    reference_kernels: bool = False,
    name: str = "model",
) -> Backend:
    """Load a model into the engine for its format.

    Args:
        model: Content of the file.
        format: ``tflite`` or ``onnx``.
        threads: Threads that one inference may use.
        reference_kernels: Run plain kernels: TFLite without the XNNPACK delegate, ONNX Runtime
            without graph optimisations. Slow; what a fast kernel set is compared against.
        name: What to call the model in messages: its file or variant.

    Raises:
        MissingExtraError: The engine is not installed.
        BackendError: The engine refuses the model.
        UsageError: ``threads`` is less than 1 or more than 64.
    """
    if not 1 <= threads <= MAX_THREADS:
        raise UsageError(f"an engine takes 1 to {MAX_THREADS} threads, not {threads}")
    if format == "tflite":
        from .tflite import TFLiteEngine

        engine: Engine = TFLiteEngine(model, threads=threads, reference_kernels=reference_kernels, name=name)
    else:
        from .onnx import OnnxEngine

        engine = OnnxEngine(model, threads=threads, reference_kernels=reference_kernels, name=name)
    return EngineBackend(name, engine)


def engine_installed(format: ModelFormat) -> bool:  # noqa: A002  (the manifest's word)
    """Whether a library that runs this format can be found; nothing is loaded."""
    return any(importlib.util.find_spec(module) is not None for module in _ENGINE_MODULES[format])


def choose_variant(manifest: Manifest, name: str | None = None) -> Variant:
    """The variant that is named, else the stage's first whose engine is installed.

    Raises:
        UsageError: There is no variant of that name.
        MissingExtraError: No engine that could run the bundle is installed.
    """
    if name is not None:
        try:
            return manifest.variant(name)
        except ManifestError as error:
            raise UsageError(error.message, hint=error.hint) from error
    for variant_name in manifest.stages[0].variants:
        variant = manifest.variant(variant_name)
        if engine_installed(variant.format):
            return variant
    wanted = manifest.variant(manifest.stages[0].variants[0]).format
    library = _ENGINE_MODULES[wanted][0]
    raise MissingExtraError(library, wanted)
