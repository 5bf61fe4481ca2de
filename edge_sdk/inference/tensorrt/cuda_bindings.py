"""CUDA by NVIDIA's ``cuda-bindings``."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import logging
import weakref
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

import numpy as np

from ...errors import BackendError, MissingExtraError
from ..module_absence import is_absent
from .cuda import (
    LOST,
    NO_DEVICE,
    NO_DRIVER,
    NOT_WHOLE,
    OLD_DRIVER,
    OUT_OF_MEMORY,
    Gpu,
    Graph,
    HostMemory,
    cuda_error,
)

__all__ = ["CudaBindings"]

_log = logging.getLogger(__name__)
_RAISED = (RuntimeError, OSError, MemoryError)  # where a function of the driver cannot be had, most of all
_MODULES = ("cuda.bindings.runtime", "cuda.cudart")  # the second one up to release 12.5
# After these "the process is in an inconsistent state", as CUDA's reference of its runtime says.
_LOST = (
    "cudaErrorAssert",
    "cudaErrorContained",
    "cudaErrorECCUncorrectable",
    "cudaErrorExternalDevice",
    "cudaErrorHardwareStackError",
    "cudaErrorIllegalAddress",
    "cudaErrorIllegalInstruction",
    "cudaErrorInvalidAddressSpace",
    "cudaErrorInvalidPc",
    "cudaErrorLaunchFailure",
    "cudaErrorLaunchTimeout",
    "cudaErrorMisalignedAddress",
    "cudaErrorNvlinkUncorrectable",
    "cudaErrorUnknown",
)
_KINDS = {
    "cudaErrorMemoryAllocation": OUT_OF_MEMORY,
    "cudaErrorNoDevice": NO_DEVICE,
    "cudaErrorInsufficientDriver": OLD_DRIVER,
    **dict.fromkeys(_LOST, LOST),
}


class CudaBindings:
    """See :class:`.Cuda`.

    Raises:
        MissingExtraError: ``cuda-bindings`` is not installed.
        BackendError: There is no driver, it is too old, or there is no GPU.
    """

    def __init__(self) -> None:
        self._runtime = _import_runtime()
        kinds = self._runtime.cudaMemcpyKind
        self._to_gpu, self._from_gpu = kinds.cudaMemcpyHostToDevice, kinds.cudaMemcpyDeviceToHost
        self._success = self._runtime.cudaError_t.cudaSuccess
        if self._count_devices() < 1:
            raise cuda_error("cudaGetDeviceCount", "there is no GPU", NO_DEVICE)

    def _count_devices(self) -> int:
        try:
            driver = int(self._call_as_it_is("cudaDriverGetVersion"))
            if driver == 0:
                raise cuda_error("cudaDriverGetVersion", "there is no NVIDIA driver", NO_DRIVER)
            return int(self._call_as_it_is("cudaGetDeviceCount"))
        except _RAISED as error:  # some releases do where the driver's library is not there
            raise cuda_error(
                "cudaGetDeviceCount", f"there is no NVIDIA driver: {error}", NO_DRIVER
            ) from error

    @cached_property
    def gpu(self) -> Gpu:
        """See :class:`.Cuda`."""
        properties = self._call("cudaGetDeviceProperties", 0)
        version = self._call("cudaDriverGetVersion")
        return Gpu(
            name=properties.name.decode("utf-8", "replace").rstrip("\0"),
            compute_capability=f"{properties.major}.{properties.minor}",
            integrated=bool(properties.integrated),
            memory_bytes=int(properties.totalGlobalMem),
            cuda=f"{version // 1000}.{version % 1000 // 10}",
        )

    def free_memory(self) -> int:
        """See :class:`.Cuda`."""
        free, _total = self._call("cudaMemGetInfo")
        return int(free)

    def allocate(self, size: int) -> int:
        """See :class:`.Cuda`."""
        return int(self._call("cudaMalloc", size))

    def free(self, address: int) -> None:
        """See :class:`.Cuda`."""
        self._call("cudaFree", address)

    def host_memory(self, size: int, *, mapped: bool = False) -> HostMemory:
        """See :class:`.Cuda`."""
        flags = self._runtime.cudaHostAllocMapped if mapped else self._runtime.cudaHostAllocDefault
        address = int(self._call("cudaHostAlloc", size, flags))
        owner = (ctypes.c_uint8 * size).from_address(address)
        # At the end of the process the system gives it back, when arrays may still be looked at.
        weakref.finalize(owner, self._free_host, address).atexit = False
        raw = np.ctypeslib.as_array(owner)
        raw[:] = 0
        seen = int(self._call("cudaHostGetDevicePointer", address, 0)) if mapped else None
        return HostMemory(raw, address, seen)

    def _free_host(self, address: int) -> None:
        with contextlib.suppress(BackendError):  # a GPU that was lost takes nothing back
            self._call("cudaFreeHost", address)

    def copy_in(self, address: int, memory: HostMemory, stream: int) -> None:
        """See :class:`.Cuda`."""
        self._call("cudaMemcpyAsync", address, memory.address, memory.raw.nbytes, self._to_gpu, stream)

    def copy_out(self, memory: HostMemory, address: int, stream: int) -> None:
        """See :class:`.Cuda`."""
        self._call("cudaMemcpyAsync", memory.address, address, memory.raw.nbytes, self._from_gpu, stream)

    def new_stream(self) -> int:
        """See :class:`.Cuda`."""
        return int(self._call("cudaStreamCreateWithFlags", self._runtime.cudaStreamNonBlocking))

    def synchronize(self, stream: int) -> None:
        """See :class:`.Cuda`."""
        self._call("cudaStreamSynchronize", stream)

    def destroy_stream(self, stream: int) -> None:
        """See :class:`.Cuda`."""
        self._call("cudaStreamDestroy", stream)

    def elapsed_ms(self, stream: int, work: Callable[[], None]) -> float:
        """See :class:`.Cuda`."""
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

    def capture(self, stream: int, work: Callable[[], None]) -> Graph:
        """See :class:`.Cuda`."""
        mode = self._runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", stream, mode)
        try:
            work()
        except BaseException:
            with contextlib.suppress(BackendError):  # what went wrong in `work` is told, not what follows
                self._call("cudaGraphDestroy", self._call("cudaStreamEndCapture", stream))
            raise
        graph = self._call("cudaStreamEndCapture", stream)
        try:
            executable = self._call("cudaGraphInstantiate", graph, 0)
        finally:
            self._call("cudaGraphDestroy", graph)
        return _BindingsGraph(self._call, executable, stream)

    def _call(self, function: str, *arguments: Any) -> Any:
        try:
            return self._call_as_it_is(function, *arguments)
        except _RAISED as error:
            kind = OUT_OF_MEMORY if isinstance(error, MemoryError) else NO_DRIVER
            raise cuda_error(function, f"{type(error).__name__}: {error}", kind) from error

    def _call_as_it_is(self, function: str, *arguments: Any) -> Any:
        code, *values = getattr(self._runtime, function)(*arguments)
        if code != self._success:
            raise cuda_error(function, code.name, _KINDS.get(code.name))
        return values[0] if len(values) == 1 else tuple(values)


class _BindingsGraph:
    def __init__(self, call: Callable[..., Any], executable: Any, stream: int) -> None:
        self._call = call
        self._executable = executable
        self._stream = stream

    def launch(self) -> None:
        self._call("cudaGraphLaunch", self._executable, self._stream)

    def close(self) -> None:
        self._call("cudaGraphExecDestroy", self._executable)


def _import_runtime() -> Any:
    failures: list[BackendError] = []
    for module in _MODULES:
        try:
            found = _import(module)
        except BackendError as error:  # the older one may be whole
            failures.append(error)
            continue
        if found is not None:
            for failure in failures:
                _warn_once(module, failure.message)
            return found
    if failures:
        raise failures[0]
    raise MissingExtraError("cuda-bindings", "tensorrt-rtx")


@cache
def _warn_once(module: str, failure: str) -> None:
    """Each engine that is opened imports it; once in a process tells it."""
    _log.warning("%s takes the place of what does not work: %s", module, failure)


def _import(module: str) -> Any | None:
    """None where it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if is_absent(module, error):
            return None
        raise cuda_error(f"import {module}", str(error), NOT_WHOLE) from error
    except (ImportError, RuntimeError, OSError) as error:
        raise cuda_error(f"import {module}", str(error), NO_DRIVER) from error
