"""What NVIDIA's ``tensorrt`` looks like in releases 8.6, 10.3 and 11.4, and TensorRT-RTX, on a GPU not there.

An answer of its engines is right only where all copies and waits were made. Where a release refuses a
use, so does this: networks without an explicit batch and precisions without their flag in 8.6, flags
of precision in networks with types of their own, all of them in 11. It stands for the interface as it
is documented, and proves nothing of NVIDIA's code.
"""

from __future__ import annotations

from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from fake_gpu import FakeGpu
from fake_trt_builder import FakeBuilder, FakeOnnxParser
from fake_trt_release import RELEASES, FakeLogger, Release
from fake_trt_runtime import FakeContext, FakeRuntime

__all__ = ["RELEASES", "fake_tensorrt"]


class _OutputAllocator:
    pass


class _ProgressMonitor:
    pass


def fake_tensorrt(release: str, gpu: FakeGpu, behaviour: str = "") -> Any:
    """The module; see :class:`.Release` for what it is given."""
    made = Release(release, gpu, behaviour)
    trt: Any = ModuleType("tensorrt")
    trt.__spec__ = ModuleSpec("tensorrt", None)  # else it looks as if it were not installed
    trt.__version__ = made.version
    for name, kind in made.enums().items():
        setattr(trt, name, kind)
    trt.ILogger = FakeLogger
    trt.IExecutionContext = FakeContext
    trt.IOutputAllocator = _OutputAllocator
    if not made.is_old:
        trt.IProgressMonitor = _ProgressMonitor
    trt.Builder = partial(FakeBuilder, made)
    trt.OnnxParser = partial(FakeOnnxParser, made)
    trt.Runtime = partial(FakeRuntime, made)
    trt.init_libnvinfer_plugins = lambda _log, _namespace: True
    return trt
