"""A GPU that is not there: its memory, its streams and what goes wrong with it.

Stricter than a real one. Work waits in its stream until somebody waits for the stream, so what reads an
answer too early reads what was there before; addresses of the GPU and of the computer are told apart;
and every call is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["FakeGpu", "FakeGpuError", "raise_as_cpp"]

_RAISED = {kind.__name__: kind for kind in (RuntimeError, ValueError, MemoryError)}
_MAPPED = 1 << 52
_DEVICE = 1 << 48


class FakeGpuError(Exception):
    """A call failed; the message is CUDA's name for the code."""


def raise_as_cpp(told: str) -> None:
    """Raise what pybind11 and Cython make of a C++ exception, where a text like this one asks for it.

    Args:
        told: ``RuntimeError: std::exception``, for example.
    """
    kind, _, text = told.partition(": ")
    if kind in _RAISED:
        raise _RAISED[kind](text)


@dataclass
class FakeGpu:
    """One GPU, or none.

    Attributes:
        name, capability, integrated, memory_bytes: Of the GPU.
        driver: CUDA that the driver takes, as a number; 0 where there is no driver.
        count: GPUs that can be seen.
        failing: Calls that fail, by name, each with CUDA's name for the code; or with what the bindings
            raise instead of giving one, like ``RuntimeError: Failed to dlopen libcuda.so.1``.
        calls: How often each call was made.
        free: Bytes of its memory that nobody holds.
    """

    name: str = "Orin"
    capability: tuple[int, int] = (8, 7)
    integrated: bool = True
    memory_bytes: int = 8 << 30
    driver: int = 12060
    count: int = 1
    failing: dict[str, str] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.free = self.memory_bytes
        self.device: dict[int, NDArray[np.uint8]] = {}
        self.host: dict[int, NDArray[np.uint8]] = {}
        self.streams: dict[int, list[Callable[[], None]]] = {}
        self.captured: dict[int, list[Callable[[], None]]] = {}
        self.graphs: list[tuple[int, list[Callable[[], None]]]] = []
        self._next = 0

    def call(self, function: str) -> None:
        """Count a call, and fail where it is to fail."""
        self.calls[function] += 1
        if function in self.failing:
            raise_as_cpp(self.failing[function])
            raise FakeGpuError(self.failing[function])

    def take(self, size: int) -> int:
        """Address of so many bytes of its memory."""
        if size > self.free:
            raise FakeGpuError("cudaErrorMemoryAllocation")
        self._next += 1
        address = _DEVICE + (self._next << 32)
        self.device[address] = np.full(size, 0xCD, np.uint8)
        self.free -= size
        return address

    def give_back(self, address: int) -> None:
        """Free it; an address that is none of its is an error."""
        if address not in self.device:
            raise FakeGpuError("cudaErrorInvalidValue")
        self.free += self.device.pop(address).nbytes

    def take_host(self, size: int) -> int:
        """Address of so many page-locked bytes of the computer's."""
        memory = np.full(size, 0xCD, np.uint8)
        self.host[int(memory.ctypes.data)] = memory
        return int(memory.ctypes.data)

    def mapped(self, address: int) -> int:
        """What the GPU calls page-locked memory."""
        return address + _MAPPED

    def seen_by_gpu(self, address: int, size: int) -> NDArray[np.uint8]:
        """Memory as work on the GPU finds it."""
        if address in self.device:
            return self.device[address][:size]
        return self._locked(address - _MAPPED, size)

    def copy(self, target: int, source: int, size: int, *, to_gpu: bool, stream: int) -> None:
        """Put a copy into a stream."""
        on_gpu, on_host = (target, source) if to_gpu else (source, target)
        if on_gpu not in self.device:
            raise FakeGpuError("cudaErrorInvalidValue")
        locked = self._locked(on_host, size)

        def work() -> None:
            memory = self.device[on_gpu][:size]
            if to_gpu:
                memory[:] = locked
            else:
                locked[:] = memory

        self.put(stream, work)

    def _locked(self, address: int, size: int) -> NDArray[np.uint8]:
        for start, memory in self.host.items():
            if start <= address and address + size <= start + memory.nbytes:
                return memory[address - start : address - start + size]
        raise FakeGpuError("cudaErrorInvalidValue")  # a copy in the stream's turn needs page-locked memory

    def new_stream(self) -> int:
        """An empty stream."""
        self._next += 1
        self.streams[self._next] = []
        return self._next

    def put(self, stream: int, work: Callable[[], None]) -> None:
        """Put work into a stream, or into the graph that is being captured from it."""
        if stream not in self.streams:
            raise FakeGpuError("cudaErrorInvalidResourceHandle")
        self.captured.get(stream, self.streams[stream]).append(work)

    def wait(self, stream: int) -> None:
        """Do what is in a stream."""
        if stream in self.captured:
            raise FakeGpuError("cudaErrorStreamCaptureUnsupported")
        work, self.streams[stream] = self.streams[stream], []
        for one in work:
            one()

    @property
    def holds(self) -> tuple[int, int, int, int]:
        """How much there is of device memory, page-locked memory, streams and graphs."""
        return len(self.device), len(self.host), len(self.streams), len(self.graphs)
