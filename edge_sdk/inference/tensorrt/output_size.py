"""Outputs whose size the engine tells only after it ran: how many boxes are left, for example."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from ...contract.values import Array

__all__ = ["MAX_OUTPUT_BYTES", "output_room"]

MAX_OUTPUT_BYTES = 1 << 28
"""What is set aside for one such output; an engine may name bounds beyond all memory."""


def output_room(trt: Any, address: int, size: int) -> Any:
    """Room for one output, as TensorRT asks for it.

    It has ``shape``, what the engine gave last, and ``fit(array)``, that much of an array.

    Args:
        trt: TensorRT's module.
        address: Of memory that was set aside.
        size: How many bytes it has.
    """
    return _room_type(trt)(address, size)


@cache
def _room_type(trt: Any) -> Any:
    class OutputRoom(trt.IOutputAllocator):  # type: ignore[misc]
        def __init__(self, address: int, size: int) -> None:
            super().__init__()
            self._address = address
            self._size = size
            self.shape: tuple[int, ...] = (0,)

        def reallocate_output(self, *asked: Any) -> int:
            _name, _memory, size, _alignment = asked
            return self._address if size <= self._size else 0  # 0 makes TensorRT fail, and say so

        def reallocate_output_async(self, *asked: Any) -> int:
            return self.reallocate_output(*asked[:4])  # asked for in a stream: it is there already

        def notify_shape(self, name: str, shape: Any) -> None:  # noqa: ARG002
            self.shape = tuple(shape)

        def fit(self, array: Array) -> Array:
            return array.reshape(-1)[: math.prod(self.shape)].reshape(self.shape)

    return OutputRoom
