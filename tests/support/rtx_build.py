"""From ONNX to a TensorRT-RTX plan, by NVIDIA's own parser and builder; neither needs a GPU."""

from __future__ import annotations

import re
from typing import Any

import pytest

__all__ = ["RefusedModelError", "build_plan", "message_log", "tensorrt_rtx"]


class RefusedModelError(ValueError):
    """TensorRT-RTX cannot parse or build a model; the message names each node."""


def tensorrt_rtx() -> Any:
    """The library; the test that asks for it is skipped where it is not installed."""
    return pytest.importorskip(
        "tensorrt_rtx_bindings", reason="TensorRT-RTX is not installed: pip install 'edge-sdk[tensorrt-rtx]'"
    )


def build_plan(model: bytes, *, tf32: bool = False, for_this_gpu: bool = False) -> bytes:
    """Parse and build a strongly typed network: the precision is the one in the ONNX.

    Args:
        model: Content of the ``.onnx`` file; all its shapes fixed.
        tf32: Let float32 products round their factors to 10 bits, which tensor cores do fast.
        for_this_gpu: Build for the GPU of this machine; otherwise for every GPU that is supported.

    Raises:
        RefusedModelError: It is refused.
    """
    trt = tensorrt_rtx()
    log = message_log(trt)
    builder = trt.Builder(log)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model):
        raise RefusedModelError("\n".join(_errors(parser)))
    config = builder.create_builder_config()
    if not tf32:
        config.clear_flag(trt.BuilderFlag.TF32)
    if for_this_gpu:
        config.num_compute_capabilities = 1
        config.set_compute_capability(trt.ComputeCapability.CURRENT, 0)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise RefusedModelError("\n".join(log.errors) or "it gives no plan and no reason")
    return bytes(plan)


def _errors(parser: Any) -> list[str]:
    found = [parser.get_error(index) for index in range(parser.num_errors)]
    return [
        f"{error.node_operator() or 'model'} '{error.node_name()}': {_plain(error.desc())}" for error in found
    ]


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def message_log(trt: Any) -> Any:
    """A log that keeps what the library calls errors, in ``errors``, and prints nothing."""

    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.errors.append(_plain(message))

    return Log()
