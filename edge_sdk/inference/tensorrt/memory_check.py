"""Whether there is the memory that a build takes, before the system kills it for want of it.

The need is an estimate. TensorRT's share is what its users report of an Orin Nano, where its library
of kernels alone takes about 1 GB of the computer's memory and as much of the GPU's; TensorRT-RTX's holds
for what was measured without a GPU: docs/reference/tensorrt.md tells how.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...errors import BackendError
from .cuda import Cuda
from .library import Library

__all__ = ["MemoryNeed", "check_memory", "free_host_bytes", "memory_need"]

_MB = 1_000_000
_MEMINFO = Path("/proc/meminfo")
_LIBRARY_MB = 1000
_RTX_LIBRARY_MB = 400
_COPIES_OF_MODEL = 4  # as it was given, parsed, optimized, built


@dataclass(frozen=True)
class MemoryNeed:
    """What a build is expected to take.

    Attributes:
        host_bytes: Of the computer's memory.
        gpu_bytes: Of the GPU's; 0 where it has no part in it.
    """

    host_bytes: int
    gpu_bytes: int


def memory_need(library: Library, model_bytes: int, workspace_bytes: int) -> MemoryNeed:
    """Estimate it.

    Args:
        library: What builds.
        model_bytes: Size of the ONNX file.
        workspace_bytes: What kernels may use beside weights and tensors.
    """
    if library.is_rtx:
        return MemoryNeed(_RTX_LIBRARY_MB * _MB + _COPIES_OF_MODEL * model_bytes, 0)
    return MemoryNeed(
        _LIBRARY_MB * _MB + _COPIES_OF_MODEL * model_bytes,
        _LIBRARY_MB * _MB + 2 * model_bytes + workspace_bytes,
    )


def check_memory(need: MemoryNeed, cuda: Cuda | None, free_host: int | None) -> None:
    """Hold the need against what is free.

    Args:
        need: Of the build.
        cuda: The GPU that it takes place on, if any.
        free_host: As :func:`free_host_bytes` tells it; None where that is not known.

    Raises:
        BackendError: There is too little; the message gives both sides.
    """
    shared = cuda is not None and cuda.gpu.integrated
    _compare("the computer", need.host_bytes + (need.gpu_bytes if shared else 0), free_host)
    if cuda is not None and not shared and need.gpu_bytes:
        _compare("the GPU", need.gpu_bytes, cuda.free_memory())


def free_host_bytes() -> int | None:
    """What the computer can give to a new process without swapping; None where the system does not tell."""
    try:
        lines = _MEMINFO.read_text("ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _compare(whose: str, needed: int, free: int | None) -> None:
    if free is not None and free < needed:
        raise BackendError(
            f"a build takes about {needed // _MB} MB; {whose} has {free // _MB} MB free",
            hint="end other programs (on a Jetson: the desktop), give a smaller --workspace-mb, or try it "
            "all the same with --skip-memory-check",
        )
