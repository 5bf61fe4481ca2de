"""The memory that one engine works in: each tensor once on the GPU and once beside it, for good."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import DTypeLike

from ...contract.values import Array
from ...errors import BackendError
from .cuda import Cuda, HostMemory

__all__ = ["TensorBuffers"]


class TensorBuffers:
    """Inputs and outputs of one engine.

    Args:
        cuda: Where.
        stream: On which copies are made.
        mapped: Let the GPU work in the computer's memory, and copy nothing.

    Attributes:
        outputs: What the engine gave last, by name; the arrays stay the same ones.
    """

    def __init__(self, cuda: Cuda, stream: int, *, mapped: bool) -> None:
        self._cuda = cuda
        self._stream = stream
        self._mapped = mapped
        self._inputs: dict[str, Array] = {}
        self.outputs: dict[str, Array] = {}
        self._addresses: list[int] = []
        self._copied_in: list[tuple[int, HostMemory]] = []
        self._copied_out: list[tuple[HostMemory, int]] = []

    def add(
        self, name: str, shape: tuple[int, ...], dtype: DTypeLike, *, taken: bool, on_host: bool = False
    ) -> int:
        """Room for one tensor, all 0.

        Args:
            name: Of the tensor.
            shape: All its extents.
            dtype: Of its elements.
            taken: Whether the engine takes it; else it gives it.
            on_host: Whether the engine wants it in the computer's memory, as it wants shapes.

        Returns:
            The address that the engine is to use.
        """
        size = max(1, math.prod(shape) * np.dtype(dtype).itemsize)
        memory = self._cuda.host_memory(size, mapped=self._mapped and not on_host)
        array = memory.array(shape, dtype)
        (self._inputs if taken else self.outputs)[name] = array
        if on_host:
            return memory.address
        if memory.mapped_address is not None:
            return memory.mapped_address
        address = self._cuda.allocate(size)
        self._addresses.append(address)
        if taken:
            self._copied_in.append((address, memory))
        else:
            self._copied_out.append((memory, address))
        return address

    def fill(self, tensors: Mapping[str, Array]) -> None:
        """Take over what the engine shall work on."""
        for name, array in self._inputs.items():
            np.copyto(array, tensors[name], casting="no")

    def copy_in(self) -> None:
        """Put the copies to the GPU into the stream."""
        for address, memory in self._copied_in:
            self._cuda.copy_in(address, memory, self._stream)

    def copy_out(self) -> None:
        """Put the copies from the GPU into the stream."""
        for memory, address in self._copied_out:
            self._cuda.copy_out(memory, address, self._stream)

    def close(self) -> None:
        """Give the GPU's memory back; the rest goes with the last array that somebody holds."""
        for address in self._addresses:
            with contextlib.suppress(BackendError):  # a GPU that was lost takes nothing back
                self._cuda.free(address)
        self._addresses, self._copied_in, self._copied_out = [], [], []
        self._inputs, self.outputs = {}, {}
