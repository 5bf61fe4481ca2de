"""CUDA by ``pycuda``, for boards where it is what is installed."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from ...errors import BackendError, MissingExtraError
from ..module_absence import is_absent
from .cuda import LOST, NO_DEVICE, NO_DRIVER, NOT_WHOLE, OUT_OF_MEMORY, Gpu, Graph, HostMemory, cuda_error

__all__ = ["PyCuda"]

# pycuda gives CUDA's codes as words, those of `cuGetErrorString`.
_LOST = (
    "hardware stack error",
    "illegal instruction",
    "illegal memory access",
    "invalid program counter",
    "launch failed",
    "launch timed out",
    "misaligned address",
    "operation not supported on global/shared address space",
    "uncorrectable",
    "unknown error",
    "unspecified launch failure",
)
_KINDS = {
    "out of memory": OUT_OF_MEMORY,
    "no CUDA-capable device": NO_DEVICE,
    **dict.fromkeys(_LOST, LOST),
}


class PyCuda:
    """See :class:`.Cuda`.

    Works in the device's primary context, which TensorRT uses as well, and has it current only
    within each call: pycuda aborts the process when a thread ends that has one.

    Raises:
        MissingExtraError: pycuda is not installed.
        BackendError: There is no driver or no GPU.
    """

    def __init__(self) -> None:
        self._driver = _import_driver()
        with self._wrapping("cuInit"):
            self._driver.init()
            count = self._driver.Device.count()
        if count < 1:
            raise cuda_error("cuDeviceGetCount", "there is no GPU", NO_DEVICE)
        self._device = self._driver.Device(0)
        self._streams: dict[int, Any] = {}
        self._allocations: dict[int, Any] = {}

    @cached_property
    def gpu(self) -> Gpu:
        """See :class:`.Cuda`."""
        with self._wrapping("cuDeviceGetAttribute"):
            major, minor = self._device.compute_capability()
            version = self._driver.get_driver_version()
            attribute = self._driver.device_attribute.INTEGRATED
            return Gpu(
                name=str(self._device.name()),
                compute_capability=f"{major}.{minor}",
                integrated=bool(self._device.get_attribute(attribute)),
                memory_bytes=int(self._device.total_memory()),
                cuda=f"{version // 1000}.{version % 1000 // 10}",
            )

    @cached_property
    def _context(self) -> Any:
        with self._wrapping("cuDevicePrimaryCtxRetain"):
            return self._device.retain_primary_context()

    def free_memory(self) -> int:
        """See :class:`.Cuda`."""
        with self._current("cuMemGetInfo"):
            free, _total = self._driver.mem_get_info()
            return int(free)

    def allocate(self, size: int) -> int:
        """See :class:`.Cuda`."""
        with self._current("cuMemAlloc"):
            allocation = self._driver.mem_alloc(size)
        self._allocations[int(allocation)] = allocation
        return int(allocation)

    def free(self, address: int) -> None:
        """See :class:`.Cuda`."""
        with self._current("cuMemFree"):
            self._allocations.pop(address).free()

    def host_memory(self, size: int, *, mapped: bool = False) -> HostMemory:
        """See :class:`.Cuda`."""
        flags = self._driver.host_alloc_flags.DEVICEMAP if mapped else 0
        with self._current("cuMemHostAlloc"):
            raw = self._driver.pagelocked_empty((size,), np.uint8, "C", flags)  # its base frees it
            raw[:] = 0
            seen = int(raw.base.get_device_pointer()) if mapped else None
            return HostMemory(raw, int(raw.ctypes.data), seen)

    def copy_in(self, address: int, memory: HostMemory, stream: int) -> None:
        """See :class:`.Cuda`."""
        with self._current("cuMemcpyHtoDAsync"):
            self._driver.memcpy_htod_async(address, memory.raw, self._streams[stream])

    def copy_out(self, memory: HostMemory, address: int, stream: int) -> None:
        """See :class:`.Cuda`."""
        with self._current("cuMemcpyDtoHAsync"):
            self._driver.memcpy_dtoh_async(memory.raw, address, self._streams[stream])

    def new_stream(self) -> int:
        """See :class:`.Cuda`."""
        with self._current("cuStreamCreate"):
            stream = self._driver.Stream(1)  # CU_STREAM_NON_BLOCKING
        self._streams[int(stream.handle)] = stream
        return int(stream.handle)

    def synchronize(self, stream: int) -> None:
        """See :class:`.Cuda`."""
        with self._current("cuStreamSynchronize"):
            self._streams[stream].synchronize()

    def destroy_stream(self, stream: int) -> None:
        """See :class:`.Cuda`."""
        with self._current("cuStreamDestroy"):
            del self._streams[stream]

    def elapsed_ms(self, stream: int, work: Callable[[], None]) -> float:
        """See :class:`.Cuda`."""
        with self._current("cuEventRecord"):
            start, end = self._driver.Event(), self._driver.Event()
            start.record(self._streams[stream])
            work()
            end.record(self._streams[stream])
            end.synchronize()
            return float(start.time_till(end))

    def capture(self, stream: int, work: Callable[[], None]) -> Graph:  # noqa: ARG002  (the protocol's)
        """See :class:`.Cuda`; always refused."""
        raise BackendError("pycuda has no CUDA graphs", hint="install cuda-bindings")

    @contextlib.contextmanager
    def _current(self, call: str) -> Iterator[None]:
        with self._wrapping(call):
            self._context.push()
            try:
                yield
            finally:
                self._driver.Context.pop()

    @contextlib.contextmanager
    def _wrapping(self, call: str) -> Iterator[None]:
        try:
            yield
        except self._driver.Error as error:
            text = str(error)
            kind = next((kind for words, kind in _KINDS.items() if words in text), None)
            raise cuda_error(call, text, kind) from error
        except (RuntimeError, MemoryError) as error:  # of Python's memory, of Boost.Python
            kind = OUT_OF_MEMORY if isinstance(error, MemoryError) else None
            raise cuda_error(call, f"{type(error).__name__}: {error}", kind) from error


def _import_driver() -> Any:
    try:
        return importlib.import_module("pycuda.driver")
    except ModuleNotFoundError as error:
        if is_absent("pycuda.driver", error):
            raise MissingExtraError("pycuda", "tensorrt-rtx") from None
        raise cuda_error("import pycuda.driver", str(error), NOT_WHOLE) from error
    except (ImportError, RuntimeError, OSError) as error:  # it is linked against the driver's library
        raise cuda_error("import pycuda.driver", str(error), NO_DRIVER) from error
