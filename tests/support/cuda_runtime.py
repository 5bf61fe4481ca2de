"""The few CUDA calls that running an engine takes, over NVIDIA's ``cuda-bindings``."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["Cuda", "CudaError", "Gpu"]


class CudaError(RuntimeError):
    """A CUDA call failed, or there is nothing to call."""


@dataclass(frozen=True)
class Gpu:
    """One GPU.

    Attributes:
        name: As the driver gives it.
        compute_capability: Like ``8.7``.
        memory_bytes: In all.
        cuda: Newest CUDA that its driver takes, like ``13.0``.
    """

    name: str
    compute_capability: str
    memory_bytes: int
    cuda: str


class Cuda:
    """The CUDA runtime, on the first visible GPU. Addresses, streams, events and graphs are handles.

    Raises:
        CudaError: ``cuda-bindings`` is not installed, or there is no driver or no GPU.
    """

    def __init__(self) -> None:
        try:
            from cuda.bindings import runtime
        except ImportError as error:
            raise CudaError("cuda-bindings is not installed") from error
        self._runtime: Any = runtime
        if self._call("cudaGetDeviceCount") < 1:
            raise CudaError("no GPU")
        self._call("cudaSetDevice", 0)

    def gpu(self) -> Gpu:
        """The GPU in use."""
        properties = self._call("cudaGetDeviceProperties", 0)
        version = self._call("cudaDriverGetVersion")
        return Gpu(
            name=properties.name.decode().rstrip("\0"),
            compute_capability=f"{properties.major}.{properties.minor}",
            memory_bytes=properties.totalGlobalMem,
            cuda=f"{version // 1000}.{version % 1000 // 10}",
        )

    def free_memory(self) -> int:
        """Bytes of the GPU's memory that nobody holds."""
        free, _total = self._call("cudaMemGetInfo")
        return int(free)

    def allocate(self, size: int) -> int:
        """Address of so many bytes in the GPU's memory."""
        return int(self._call("cudaMalloc", size))

    def free(self, address: int) -> None:
        """Give them back."""
        self._call("cudaFree", address)

    def host_array(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array in page-locked memory, from which the GPU copies by itself; see :meth:`free_host`."""
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        address = int(self._call("cudaMallocHost", size))
        raw = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))
        return raw.view(kind).reshape(shape)

    def free_host(self, array: NDArray[Any]) -> None:
        """Give back an array of :meth:`host_array`; nothing may touch it afterwards."""
        self._call("cudaFreeHost", array.ctypes.data)

    def copy_in(self, address: int, array: NDArray[Any], stream: int) -> None:
        """Copy to the GPU, in the stream's turn."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", address, array.ctypes.data, array.nbytes, kind, stream)

    def copy_out(self, array: NDArray[Any], address: int, stream: int) -> None:
        """Copy from the GPU, in the stream's turn."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", array.ctypes.data, address, array.nbytes, kind, stream)

    def new_stream(self) -> int:
        """A queue of work, beside all others."""
        return int(self._call("cudaStreamCreateWithFlags", self._runtime.cudaStreamNonBlocking))

    def synchronize(self, stream: int) -> None:
        """Wait for all work in a stream."""
        self._call("cudaStreamSynchronize", stream)

    def destroy_stream(self, stream: int) -> None:
        """Drop a stream."""
        self._call("cudaStreamDestroy", stream)

    def elapsed_ms(self, stream: int, work: Callable[[], None]) -> float:
        """How long the GPU takes over what ``work`` puts into the stream, by the GPU's own clock."""
        start, end = self._call("cudaEventCreate"), self._call("cudaEventCreate")
        try:
            self._call("cudaEventRecord", start, stream)
            work()
            self._call("cudaEventRecord", end, stream)
            self._call("cudaEventSynchronize", end)
            return float(self._call("cudaEventElapsedTime", start, end))
        finally:
            self._call("cudaEventDestroy", start)
            self._call("cudaEventDestroy", end)

    def capture(self, stream: int, work: Callable[[], None]) -> Any:
        """What ``work`` puts into the stream, as a graph that :meth:`launch` repeats in one call."""
        mode = self._runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", stream, mode)
        try:
            work()
        finally:
            graph = self._call("cudaStreamEndCapture", stream)
        try:
            return self._call("cudaGraphInstantiate", graph, 0)
        finally:
            self._call("cudaGraphDestroy", graph)

    def launch(self, graph: Any, stream: int) -> None:
        """Put a graph's work into the stream."""
        self._call("cudaGraphLaunch", graph, stream)

    def destroy_graph(self, graph: Any) -> None:
        """Drop a graph."""
        self._call("cudaGraphExecDestroy", graph)

    def _call(self, function: str, *arguments: Any) -> Any:
        code, *values = getattr(self._runtime, function)(*arguments)
        if code != self._runtime.cudaError_t.cudaSuccess:
            raise CudaError(f"{function}: {code.name}")
        return values[0] if len(values) == 1 else tuple(values)
