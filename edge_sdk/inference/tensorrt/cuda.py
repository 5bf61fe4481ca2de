"""The few CUDA calls that running an engine takes, whichever Python library makes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

from ...contract.values import Array
from ...errors import BackendError, BackendUnavailableError, MissingExtraError
from .foreign_errors import MEMORY_HINT

__all__ = ["Cuda", "Gpu", "Graph", "HostMemory", "cuda_error", "open_cuda"]

NO_DRIVER = "no driver"
OLD_DRIVER = "old driver"
NO_DEVICE = "no device"
NOT_WHOLE = "not whole"
OUT_OF_MEMORY = "out of memory"
LOST = "lost"

_UNAVAILABLE = (NO_DRIVER, OLD_DRIVER, NO_DEVICE, NOT_WHOLE)
_HINTS = {
    NO_DRIVER: "without an NVIDIA GPU nothing is wrong, and other backends serve; on a Jetson the driver "
    "comes with JetPack, and a container needs `--runtime nvidia`",
    OLD_DRIVER: "install cuda-bindings of the driver's CUDA (for CUDA 12: `pip install 'cuda-bindings<13'`), "
    "or update the driver",
    NO_DEVICE: "does CUDA_VISIBLE_DEVICES hide the GPU, or the container not have it (`--runtime nvidia`)?",
    NOT_WHOLE: "it is installed, but not what it needs: install it again, without `--no-deps`",
    OUT_OF_MEMORY: MEMORY_HINT,
    LOST: "this process cannot use the GPU any more: restart it; the system's log (`dmesg`) may say more",
}
_NOT_INSTALLED_HINT = (
    "pip install cuda-bindings, of the driver's CUDA: 'cuda-bindings<13' on JetPack 6, the newest on JetPack "
    "7 and with RTX cards; pycuda serves as well"
)


@dataclass(frozen=True)
class Gpu:
    """One GPU.

    Attributes:
        name: As the driver gives it: of a card, or of a Jetson's module.
        compute_capability: Like ``8.7``.
        integrated: Whether it works in the computer's own memory, as a Jetson's does.
        memory_bytes: In all.
        cuda: Newest CUDA that its driver takes, like ``12.6``.
    """

    name: str
    compute_capability: str
    integrated: bool
    memory_bytes: int
    cuda: str

    def __str__(self) -> str:
        return f"{self.name} (compute capability {self.compute_capability})"


@dataclass(frozen=True)
class HostMemory:
    """Page-locked memory of the computer: the GPU copies from and to it by itself.

    It is given back when the last array on it is gone, so that no answer that somebody keeps can
    point to nowhere.

    Attributes:
        raw: uint8, one element a byte, all 0.
        address: Where it begins.
        mapped_address: What the GPU calls the same memory, where it was asked to.
    """

    raw: Array
    address: int
    mapped_address: int | None = None

    def array(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """The memory as numbers."""
        kind = np.dtype(dtype)
        return self.raw[: math.prod(shape) * kind.itemsize].view(kind).reshape(shape)


class Graph(Protocol):
    """Work of a stream that was captured."""

    def launch(self) -> None:
        """Put it into its stream."""
        ...

    def close(self) -> None:
        """Drop it; nothing else may follow."""
        ...


class Cuda(Protocol):
    """CUDA on the first visible GPU, for any thread. Addresses and streams are numbers.

    All raise :class:`.BackendError` where CUDA refuses.
    """

    @property
    def gpu(self) -> Gpu:
        """The GPU in use. To ask costs no memory on it."""
        ...

    def free_memory(self) -> int:
        """Bytes of the GPU's memory that nobody holds."""
        ...

    def allocate(self, size: int) -> int:
        """Address of so many bytes in the GPU's memory."""
        ...

    def free(self, address: int) -> None:
        """Give them back."""
        ...

    def host_memory(self, size: int, *, mapped: bool = False) -> HostMemory:
        """So many bytes of page-locked memory.

        Args:
            size: At least 1.
            mapped: Let the GPU work in it. Only where it is integrated does that not go over the bus.
        """
        ...

    def copy_in(self, address: int, memory: HostMemory, stream: int) -> None:
        """Copy all of page-locked memory to the GPU, in the stream's turn."""
        ...

    def copy_out(self, memory: HostMemory, address: int, stream: int) -> None:
        """Copy from the GPU to all of page-locked memory, in the stream's turn."""
        ...

    def new_stream(self) -> int:
        """A queue of work, beside all others."""
        ...

    def synchronize(self, stream: int) -> None:
        """Wait for all work in a stream."""
        ...

    def destroy_stream(self, stream: int) -> None:
        """Drop a stream."""
        ...

    def elapsed_ms(self, stream: int, work: Callable[[], None]) -> float:
        """How long the GPU takes over what ``work`` puts into the stream, by the GPU's own clock."""
        ...

    def capture(self, stream: int, work: Callable[[], None]) -> Graph:
        """What ``work`` puts into the stream, not run now, to be repeated in one call."""
        ...


def open_cuda() -> Cuda:
    """CUDA by cuda-bindings, or by pycuda where only that is installed.

    Raises:
        MissingExtraError: Neither is installed.
        BackendUnavailableError: There is no driver, it is too old, or there is no GPU.
        BackendError: CUDA fails otherwise.
    """
    from .cuda_bindings import CudaBindings
    from .pycuda import PyCuda

    try:
        return CudaBindings()
    except MissingExtraError as error:
        try:
            return PyCuda()
        except MissingExtraError:
            error.hint = _NOT_INSTALLED_HINT
            raise error from None


def cuda_error(call: str, reason: str, kind: str | None = None) -> BackendError:
    """The error for a CUDA call that failed.

    Args:
        call: Its name.
        reason: What CUDA said.
        kind: One of this module's constants, where it is known what to do.
    """
    hint = _HINTS[kind] if kind is not None else None
    error = BackendUnavailableError if kind in _UNAVAILABLE else BackendError
    return error(f"{call}: {reason}", hint=hint)
