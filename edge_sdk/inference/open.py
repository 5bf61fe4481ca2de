"""From a model's bytes to a backend: the one place that knows which module serves which format."""

from __future__ import annotations

import importlib.util
from itertools import chain
from pathlib import Path

from ..contract.manifest import Manifest, ModelFormat, Variant
from ..errors import ManifestError, MissingExtraError, UsageError
from .backend import MAX_THREADS, Backend
from .engine import Engine, EngineBackend
from .options import AS_ON_EVERY_COMPUTER, BackendName, EngineOptions, OnnxOptions, TensorRtOptions
from .tensorrt.products import PRODUCT_MODULES

__all__ = ["BACKENDS_OF", "backend_installed", "choose_variant", "engine_installed", "open_backend"]

BACKENDS_OF: dict[ModelFormat, tuple[BackendName, ...]] = {
    "tflite": ("tflite",),
    "onnx": ("tensorrt", "onnx"),
}
"""What can run each format, the fastest first."""

_MODULES: dict[BackendName, tuple[str, ...]] = {
    "tflite": ("ai_edge_litert", "tflite_runtime", "tensorflow"),
    "onnx": ("onnxruntime",),
    "tensorrt": tuple(chain.from_iterable(PRODUCT_MODULES.values())),
}
_USUAL: dict[ModelFormat, BackendName] = {"tflite": "tflite", "onnx": "onnx"}


def open_backend(
    model: bytes,
    format: ModelFormat,  # noqa: A002  (the manifest's word)
    *,
    backend: BackendName | None = None,
    threads: int | None = None,
    reference_kernels: bool = False,
    name: str = "model",
    options: EngineOptions = AS_ON_EVERY_COMPUTER,
) -> Backend:
    """Load a model into the library that shall run it.

    Args:
        model: Content of the file.
        format: ``tflite`` or ``onnx``.
        backend: What shall run it; by default LiteRT for the one, ONNX Runtime for the other.
        threads: Threads that one inference may use; by default what ``options`` say.
        reference_kernels: Run plain kernels: TFLite without the XNNPACK delegate, ONNX Runtime
            without graph optimisations. Slow; what a fast kernel set is compared against.
        name: What to call the model in messages: its file or variant.
        options: How they work; by default on the CPU with one thread, as a converter's proof needs it.

    Raises:
        MissingExtraError: The library is not installed.
        BackendError: The library refuses the model.
        UsageError: The backend does not run this format, or ``threads`` is less than 1 or more than 64.
    """
    threads = options.threads if threads is None else threads
    if not 1 <= threads <= MAX_THREADS:
        raise UsageError(f"an engine takes 1 to {MAX_THREADS} threads, not {threads}")
    chosen = backend or _USUAL[format]
    if chosen not in BACKENDS_OF[format]:
        raise UsageError(f"backend '{chosen}' does not run {format} files: {name}")
    if chosen == "tflite":
        engine = _open_tflite(model, name, threads, reference_kernels=reference_kernels)
    elif chosen == "onnx":
        engine = _open_onnx(model, name, threads, options.onnx, reference_kernels=reference_kernels)
    else:
        engine = _open_tensorrt(model, name, options.tensorrt)
    return EngineBackend(name, engine)


def _open_tflite(model: bytes, name: str, threads: int, *, reference_kernels: bool) -> Engine:
    from .tflite import TFLiteEngine

    return TFLiteEngine(model, threads=threads, reference_kernels=reference_kernels, name=name)


def _open_onnx(
    model: bytes, name: str, threads: int, options: OnnxOptions, *, reference_kernels: bool
) -> Engine:
    from .onnx import OnnxEngine

    return OnnxEngine(model, threads=threads, reference_kernels=reference_kernels, name=name, options=options)


def _open_tensorrt(model: bytes, name: str, options: TensorRtOptions) -> Engine:
    from .tensorrt.open import open_engine

    return open_engine(
        model,
        name=name,
        cache=None if options.cache is None else Path(options.cache),
        graph=options.cuda_graph,
        mapped_memory=options.mapped_memory,
    )


def backend_installed(backend: BackendName) -> bool:
    """Whether a library for this backend can be found; nothing is loaded."""
    return any(importlib.util.find_spec(module) is not None for module in _MODULES[backend])


def engine_installed(format: ModelFormat) -> bool:  # noqa: A002  (the manifest's word)
    """Whether the usual library for this format can be found; nothing is loaded."""
    return backend_installed(_USUAL[format])


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
            names = [variant.name for variant in manifest.variants]
            several = set(name.split(",")) <= set(names)
            hint = f"name one variant: {' or '.join(name.split(','))}" if several else error.hint
            raise UsageError(error.message, hint=hint) from error
    for variant_name in manifest.stages[0].variants:
        variant = manifest.variant(variant_name)
        if engine_installed(variant.format):
            return variant
    wanted = manifest.variant(manifest.stages[0].variants[0]).format
    raise MissingExtraError(_MODULES[_USUAL[wanted]][0], wanted)
