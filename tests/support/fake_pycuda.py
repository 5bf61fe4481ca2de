"""What ``pycuda.driver`` looks like, over a GPU that is not there."""

from __future__ import annotations

import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from fake_gpu import FakeGpu, FakeGpuError

__all__ = ["fake_pycuda"]

_WORDS = {
    "cudaErrorMemoryAllocation": "out of memory",
    "cudaErrorNoDevice": "no CUDA-capable device is detected",
    "cudaErrorIllegalAddress": "an illegal memory access was encountered",
    "cudaErrorIllegalInstruction": "an illegal instruction was encountered",
    "cudaErrorMisalignedAddress": "misaligned address",
    "cudaErrorInvalidValue": "invalid argument",
}


class Error(Exception):
    """The base of what pycuda raises."""


class LogicError(Error):
    """Wrong use of it."""


class _Contexts(threading.local):
    def __init__(self) -> None:
        self.stack: list[object] = []


def fake_pycuda(gpu: FakeGpu) -> Any:  # noqa: C901  (a flat list of calls)
    """The module. ``contexts.stack`` is what a thread has current; to end with any aborts the process."""
    module: Any = ModuleType("pycuda.driver")
    module.Error = Error
    module.contexts = _Contexts()
    module.host_alloc_flags = SimpleNamespace(DEVICEMAP=2)
    module.device_attribute = SimpleNamespace(INTEGRATED="integrated")

    def call(function: str, *, in_context: bool = True) -> None:
        if in_context and not module.contexts.stack:
            raise LogicError(f"{function} failed: invalid device context")
        try:
            gpu.call(function)
        except FakeGpuError as error:
            raise Error(f"{function} failed: {_WORDS[str(error)]}") from error

    def wrapped(function: str, action: Any) -> Any:
        call(function)
        try:
            return action()
        except FakeGpuError as error:
            raise Error(f"{function} failed: {_WORDS[str(error)]}") from error

    def init() -> None:
        call("cuInit", in_context=False)

    class Context:
        def push(self) -> None:
            module.contexts.stack.append(self)

        @staticmethod
        def pop() -> None:
            module.contexts.stack.pop()

    class Device:
        def __init__(self, _index: int) -> None:
            pass

        @staticmethod
        def count() -> int:
            return gpu.count

        def name(self) -> str:
            return gpu.name

        def compute_capability(self) -> tuple[int, int]:
            return gpu.capability

        def total_memory(self) -> int:
            return gpu.memory_bytes

        def get_attribute(self, attribute: str) -> int:
            return int(gpu.integrated) if attribute == "integrated" else 0

        def retain_primary_context(self) -> Context:
            return Context()

    class DeviceAllocation:
        def __init__(self, address: int) -> None:
            self._address = address

        def __int__(self) -> int:
            return self._address

        def free(self) -> None:
            wrapped("cuMemFree", lambda: gpu.give_back(self._address))

    class HostAllocation:
        """What an array on page-locked memory has as its base."""

        def __init__(self, size: int) -> None:
            self._memory = gpu.host[gpu.take_host(size)]
            self.__array_interface__ = self._memory.__array_interface__

        def get_device_pointer(self) -> int:
            return gpu.mapped(int(self._memory.ctypes.data))

    class Stream:
        def __init__(self, flags: int = 0) -> None:
            call("cuStreamCreate")
            self.handle = gpu.new_stream()

        def synchronize(self) -> None:
            wrapped("cuStreamSynchronize", lambda: gpu.wait(self.handle))

        def __del__(self) -> None:
            gpu.streams.pop(self.handle, None)

    class Event:
        def record(self, stream: Stream) -> Event:
            gpu.put(stream.handle, lambda: None)
            return self

        def synchronize(self) -> Event:
            for stream in gpu.streams:
                gpu.wait(stream)
            return self

        def time_till(self, _other: Event) -> float:
            return 0.25

    def pagelocked_empty(shape: tuple[int, ...], dtype: Any, order: str = "C", mem_flags: int = 0) -> Any:
        call("cuMemHostAlloc")
        (size,) = shape
        return np.asarray(HostAllocation(size))

    def memcpy_htod_async(target: int, source: Any, stream: Stream) -> None:
        address, size = int(source.ctypes.data), source.nbytes
        wrapped(
            "cuMemcpyHtoDAsync",
            lambda: gpu.copy(target, address, size, to_gpu=True, stream=stream.handle),
        )

    def memcpy_dtoh_async(target: Any, source: int, stream: Stream) -> None:
        address, size = int(target.ctypes.data), target.nbytes
        wrapped(
            "cuMemcpyDtoHAsync",
            lambda: gpu.copy(address, source, size, to_gpu=False, stream=stream.handle),
        )

    module.init = init
    module.Context, module.Device, module.Stream, module.Event = Context, Device, Stream, Event
    module.get_driver_version = lambda: gpu.driver
    module.mem_get_info = lambda: wrapped("cuMemGetInfo", lambda: (gpu.free, gpu.memory_bytes))
    module.mem_alloc = lambda size: DeviceAllocation(wrapped("cuMemAlloc", lambda: gpu.take(size)))
    module.pagelocked_empty = pagelocked_empty
    module.memcpy_htod_async, module.memcpy_dtoh_async = memcpy_htod_async, memcpy_dtoh_async
    return module
