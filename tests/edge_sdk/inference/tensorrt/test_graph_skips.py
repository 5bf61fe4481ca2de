"""Tests on a GPU skip a CUDA graph only where nobody but pycuda or TensorRT itself refuses it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gpu_graph import is_not_ours
from gpu_onnx import scaled_onnx

from edge_sdk.inference.tensorrt.build import build_engine
from edge_sdk.inference.tensorrt.cuda import open_cuda
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tensorrt.library import find_library


@pytest.mark.parametrize(
    ("release", "behaviour", "by", "is_skipped"),
    [
        ("10.3", "", "pycuda", True),
        ("rtx", "no_capture", "bindings", True),
        ("10.3", "breaks_capture", "bindings", False),
    ],
)
def test_a_capture_that_fails_is_no_reason_to_skip(
    install: Callable[..., None], release: str, behaviour: str, by: str, *, is_skipped: bool
) -> None:
    install(release, behaviour=behaviour, cuda=by)
    library = find_library()
    plan = build_engine(library, scaled_onnx()).plan
    assert plan is not None
    engine = TensorRtEngine(plan, library=library, cuda=open_cuda(), name="scaled")
    assert is_not_ours(str(engine.graph_refusal)) is is_skipped
