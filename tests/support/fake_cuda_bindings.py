"""What ``cuda.bindings.runtime`` looks like, over a GPU that is not there."""

# ruff: noqa: N802, N815  (NVIDIA's names)

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from types import ModuleType, SimpleNamespace
from typing import Any

from fake_gpu import FakeGpu, FakeGpuError

__all__ = ["fake_cuda_bindings"]


class Code(IntEnum):
    """The codes that occur here, with CUDA's numbers."""

    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorMemoryAllocation = 2
    cudaErrorInsufficientDriver = 35
    cudaErrorNoDevice = 100
    cudaErrorInvalidResourceHandle = 400
    cudaErrorIllegalAddress = 700
    cudaErrorLaunchTimeout = 702
    cudaErrorIllegalInstruction = 715
    cudaErrorMisalignedAddress = 716
    cudaErrorLaunchFailure = 719
    cudaErrorStreamCaptureUnsupported = 900
    cudaErrorStreamCaptureInvalidated = 901
    cudaErrorUnknown = 999


class CopyKind(IntEnum):
    """Which way a copy goes."""

    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


class CaptureMode(IntEnum):
    """What others may do meanwhile."""

    cudaStreamCaptureModeGlobal = 0
    cudaStreamCaptureModeThreadLocal = 1


def fake_cuda_bindings(gpu: FakeGpu) -> Any:  # noqa: C901, PLR0915  (a flat list of calls)
    """The module. As in NVIDIA's, each function gives a tuple that begins with the code."""
    module: Any = ModuleType("cuda.bindings.runtime")
    module.cudaError_t = Code
    module.cudaMemcpyKind = CopyKind
    module.cudaStreamCaptureMode = CaptureMode
    module.cudaHostAllocDefault, module.cudaHostAllocMapped = 0, 2
    module.cudaStreamNonBlocking = 1

    def call(function: Callable[..., Any]) -> None:
        @wraps(function)
        def called(*arguments: Any) -> tuple[Any, ...]:
            try:
                gpu.call(function.__name__)
                given = function(*arguments)
            except FakeGpuError as error:
                return Code[str(error)], None
            if given is None:
                return (Code.cudaSuccess,)
            return Code.cudaSuccess, *(given if isinstance(given, tuple) else (given,))

        setattr(module, function.__name__, called)

    @call
    def cudaDriverGetVersion() -> int:
        return gpu.driver

    @call
    def cudaGetDeviceCount() -> int:
        if gpu.driver == 0:
            raise FakeGpuError("cudaErrorInsufficientDriver")
        if gpu.count == 0:
            raise FakeGpuError("cudaErrorNoDevice")
        return gpu.count

    @call
    def cudaGetDeviceProperties(_device: int) -> Any:
        major, minor = gpu.capability
        return SimpleNamespace(
            name=gpu.name.encode().ljust(256, b"\0"),
            major=major,
            minor=minor,
            integrated=int(gpu.integrated),
            totalGlobalMem=gpu.memory_bytes,
        )

    @call
    def cudaMemGetInfo() -> tuple[int, int]:
        return gpu.free, gpu.memory_bytes

    @call
    def cudaMalloc(size: int) -> int:
        return gpu.take(size)

    @call
    def cudaFree(address: int) -> None:
        gpu.give_back(address)

    @call
    def cudaHostAlloc(size: int, _flags: int) -> int:
        return gpu.take_host(size)

    @call
    def cudaFreeHost(address: int) -> None:
        del gpu.host[address]

    @call
    def cudaHostGetDevicePointer(address: int, _flags: int) -> int:
        return gpu.mapped(address)

    @call
    def cudaMemcpyAsync(target: int, source: int, size: int, kind: CopyKind, stream: int) -> None:
        gpu.copy(target, source, size, to_gpu=kind == CopyKind.cudaMemcpyHostToDevice, stream=stream)

    @call
    def cudaStreamCreateWithFlags(_flags: int) -> int:
        return gpu.new_stream()

    @call
    def cudaStreamSynchronize(stream: int) -> None:
        gpu.wait(stream)

    @call
    def cudaStreamDestroy(stream: int) -> None:
        del gpu.streams[stream]

    @call
    def cudaEventCreate() -> object:
        return object()

    @call
    def cudaEventRecord(_event: object, stream: int) -> None:
        gpu.put(stream, lambda: None)

    @call
    def cudaEventSynchronize(_event: object) -> None:
        for stream in gpu.streams:
            gpu.wait(stream)

    @call
    def cudaEventElapsedTime(_start: object, _end: object) -> float:
        return 0.25

    @call
    def cudaEventDestroy(_event: object) -> None:
        return

    @call
    def cudaStreamBeginCapture(stream: int, _mode: CaptureMode) -> None:
        gpu.captured[stream] = []

    @call
    def cudaStreamEndCapture(stream: int) -> Any:
        return [stream, gpu.captured.pop(stream)]

    @call
    def cudaGraphInstantiate(graph: Any, _flags: int) -> Any:
        gpu.graphs.append((graph[0], graph[1]))
        return SimpleNamespace(graph=gpu.graphs[-1])

    @call
    def cudaGraphDestroy(_graph: Any) -> None:
        return

    @call
    def cudaGraphLaunch(executable: Any, stream: int) -> None:
        for work in executable.graph[1]:
            gpu.put(stream, work)

    @call
    def cudaGraphExecDestroy(executable: Any) -> None:
        gpu.graphs.remove(executable.graph)

    return module
