"""TensorRT-RTX's parser and builder take every model; they need no GPU."""

from __future__ import annotations

from gpu_case import GpuCase
from rtx_build import build_plan, tensorrt_rtx


def test_every_model_in_every_precision_builds(case: GpuCase) -> None:
    tensorrt_rtx()
    assert len(build_plan(case.onnx)) > 1000
