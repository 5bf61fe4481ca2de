"""Engines of small models, by whatever TensorRT is installed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gpu_onnx import half_onnx, int8_onnx, scaled_onnx

from edge_sdk.inference.tensorrt.build import build_engine
from edge_sdk.inference.tensorrt.cuda import open_cuda
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tensorrt.library import Library, find_library
from edge_sdk.inference.tensorrt.refusal import Refusal

__all__ = ["MODELS", "X", "loaded", "plan_of", "refusals"]

MODELS: dict[str, Callable[[], bytes]] = {"float32": scaled_onnx, "float16": half_onnx, "int8": int8_onnx}
X = np.array([[1.0, -2.0, 0.3, 40.0]], np.float32)


def plan_of(model: bytes) -> bytes:
    """What an engine of it is loaded from."""
    built = build_engine(find_library(), model)
    assert built.plan is not None, built.refusals
    return built.plan


def loaded(model: bytes, *, graph: bool = True, mapped_memory: bool = False) -> TensorRtEngine:
    """An engine of a model, by what is installed."""
    return TensorRtEngine(
        plan_of(model),
        library=find_library(),
        cuda=open_cuda(),
        name="onnx-float32",
        graph=graph,
        mapped_memory=mapped_memory,
    )


def refusals(library: Library, model: bytes) -> tuple[Refusal, ...]:
    """Why a library builds no engine of it."""
    found = build_engine(library, model)
    assert found.plan is None
    return found.refusals
