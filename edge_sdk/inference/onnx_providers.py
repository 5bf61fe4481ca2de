"""ONNX Runtime's execution providers: which are here, and what each must be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import BackendError, BackendUnavailableError
from .options import OnnxOptions, ProviderName
from .tensorrt.engine_folder import default_folder

__all__ = ["CUDA", "XNNPACK", "default_providers", "provider_settings", "require_loaded", "require_providers"]

CUDA = "CUDAExecutionProvider"
XNNPACK = "XnnpackExecutionProvider"
_CPU = "CPUExecutionProvider"
_TENSORRT = "TensorrtExecutionProvider"
_OPENVINO = "OpenVINOExecutionProvider"

_FULL_NAMES: dict[ProviderName, str] = {
    "cpu": _CPU,
    "cuda": CUDA,
    "tensorrt": _TENSORRT,
    "openvino": _OPENVINO,
    "xnnpack": XNNPACK,
    "coreml": "CoreMLExecutionProvider",
}

_HINTS: dict[ProviderName, str] = {
    "cpu": "every build has it",
    "cuda": "install onnxruntime-gpu in the place of onnxruntime; the two cannot be installed together",
    "tensorrt": "install onnxruntime-gpu in the place of onnxruntime; or use the backend 'tensorrt'",
    "openvino": "install onnxruntime-openvino in the place of onnxruntime",
    "xnnpack": "it must be built into ONNX Runtime; the wheels for Linux do not have it",
    "coreml": "only the wheels for macOS have it",
}


def default_providers(runtime: Any) -> list[str]:
    """CUDA where this build has it, then the CPU. The others are slow to load, or not sure to help."""
    return [name for name in (CUDA, _CPU) if name in runtime.get_available_providers()]


def require_providers(runtime: Any, names: Sequence[ProviderName]) -> list[str]:
    """What ONNX Runtime calls these.

    Raises:
        BackendUnavailableError: One is not in this build; names what is.
    """
    there = runtime.get_available_providers()
    for name in names:
        if _FULL_NAMES[name] not in there:
            known = [short for short, full in _FULL_NAMES.items() if full in there]
            raise BackendUnavailableError(
                f"this ONNX Runtime {runtime.__version__} has no execution provider '{name}'; "
                f"it has: {', '.join(known)}",
                hint=_HINTS[name],
            )
    return [_FULL_NAMES[name] for name in names]


def require_loaded(session: Any, names: Sequence[ProviderName]) -> None:
    """Hold what a session really uses against what was asked for: it passes over what does not load.

    Raises:
        BackendError: One that was named is not used.
    """
    used = session.get_providers()
    for name in names:
        if _FULL_NAMES[name] not in used:
            raise BackendError(
                f"ONNX Runtime's execution provider '{name}' does not load here",
                hint="are its driver and libraries installed where the loader finds them, and is the device "
                "visible? For 'cuda': the CUDA and cuDNN that this ONNX Runtime was built for",
            )


def provider_settings(name: str, options: OnnxOptions, threads: int) -> tuple[str, dict[str, str]]:
    """A provider with what it must be told.

    Args:
        name: As ONNX Runtime calls it.
        options: What the configuration says.
        threads: Of one inference.
    """
    settings: dict[str, str] = {}
    if name == CUDA:
        # Else it doubles what it holds each time that it needs more.
        settings = {"use_tf32": str(int(options.tf32)), "arena_extend_strategy": "kSameAsRequested"}
    elif name == _TENSORRT:
        cache = default_folder().with_name("onnxruntime")
        settings = {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(cache),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(cache),
        }
    elif name == XNNPACK:
        settings = {"intra_op_num_threads": str(threads)}
    elif name == _OPENVINO:
        settings = {"device_type": "CPU", "num_of_threads": str(threads), "precision": "ACCURACY"}
    return name, settings
