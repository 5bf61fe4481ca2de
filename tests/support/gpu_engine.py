"""What a model on a GPU looks like to its tests, whichever library runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from edge_sdk.contract.values import Array

__all__ = ["GpuEngine"]


class GpuEngine(Protocol):
    """One model on one stream, for one thread."""

    stream: int

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run once; the outputs are valid until the next call."""
        ...

    def enqueue(self) -> None:
        """Put an inference on what the inputs hold into the stream, copies included, without waiting."""
        ...

    def close(self) -> None:
        """Release everything; closing twice is harmless."""
        ...
