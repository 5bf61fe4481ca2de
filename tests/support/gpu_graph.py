"""Which refusals of a CUDA graph are not ours to answer for."""

from __future__ import annotations

__all__ = ["is_not_ours"]

_NOT_OURS = ("pycuda has no CUDA graphs", "says that it cannot be captured")


def is_not_ours(refusal: str) -> bool:
    """Whether pycuda, which has none, or TensorRT itself says that there can be no graph.

    Everything else, an error while capturing above all, may be a mistake in how we capture.
    """
    return any(reason in refusal for reason in _NOT_OURS)
