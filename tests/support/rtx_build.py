"""TensorRT-RTX's parser and builder, which need no GPU, for tests of models."""

from __future__ import annotations

import pytest

from edge_sdk.inference.tensorrt.build import build_engine
from edge_sdk.inference.tensorrt.library import Library, find_library
from edge_sdk.inference.tensorrt.products import TENSORRT_RTX

__all__ = ["RefusedModelError", "build_plan", "tensorrt_rtx"]


class RefusedModelError(ValueError):
    """TensorRT-RTX cannot parse or build a model; the message names each node."""


def tensorrt_rtx() -> Library:
    """The library; the test that asks for it is skipped where it is not installed."""
    pytest.importorskip(
        "tensorrt_rtx_bindings",
        reason="TensorRT-RTX is not installed: pip install './edge-sdk[tensorrt-rtx]'",
    )
    return find_library(TENSORRT_RTX)


def build_plan(model: bytes) -> bytes:
    """Build it as ``edge-sdk build`` does, but for every card that is supported.

    Args:
        model: Content of the ``.onnx`` file.

    Raises:
        RefusedModelError: It is refused.
    """
    built = build_engine(tensorrt_rtx(), model)
    if built.plan is None:
        raise RefusedModelError("\n".join(map(str, built.refusals)))
    return built.plan
