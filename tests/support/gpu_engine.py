"""What a model on a GPU looks like, whichever library runs it, and the memory it works in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from cuda_runtime import Cuda
from numpy.typing import DTypeLike, NDArray

__all__ = ["GpuEngine", "IoBuffers"]


class GpuEngine(Protocol):
    """One model on one stream, for one thread."""

    stream: int

    def infer(self, tensors: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Run once, copies included; the outputs are valid until the next call."""
        ...

    def enqueue(self) -> None:
        """Put the model alone into the stream, without waiting."""
        ...

    def close(self) -> None:
        """Release everything; closing twice is harmless."""
        ...


class IoBuffers:
    """Inputs and outputs of one model, each once on the GPU and once in page-locked memory.

    Args:
        cuda: Where.
        stream: On which copies are made.
    """

    def __init__(self, cuda: Cuda, stream: int) -> None:
        self._cuda = cuda
        self._stream = stream
        self._inputs: dict[str, NDArray[Any]] = {}
        self._outputs: dict[str, NDArray[Any]] = {}
        self._addresses: dict[str, int] = {}

    def add(self, name: str, shape: tuple[int, ...], dtype: DTypeLike, *, taken: bool) -> int:
        """Room for a tensor that the model takes or gives; returns its address on the GPU."""
        array = self._cuda.host_array(shape, dtype)
        (self._inputs if taken else self._outputs)[name] = array
        self._addresses[name] = self._cuda.allocate(array.nbytes)
        return self._addresses[name]

    def run(
        self, tensors: Mapping[str, NDArray[Any]], enqueue: Callable[[], None]
    ) -> Mapping[str, NDArray[Any]]:
        """Copy in, enqueue, copy out, wait."""
        for name, array in self._inputs.items():
            np.copyto(array, tensors[name], casting="no")
            self._cuda.copy_in(self._addresses[name], array, self._stream)
        enqueue()
        for name, array in self._outputs.items():
            self._cuda.copy_out(array, self._addresses[name], self._stream)
        self._cuda.synchronize(self._stream)
        return self._outputs

    def close(self) -> None:
        """Give all of it back."""
        for address in self._addresses.values():
            self._cuda.free(address)
        for array in (*self._inputs.values(), *self._outputs.values()):
            self._cuda.free_host(array)
        self._inputs, self._outputs, self._addresses = {}, {}, {}
