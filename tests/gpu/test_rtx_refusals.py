"""A TensorRT-RTX plan that cannot be trusted is refused before it runs."""

from __future__ import annotations

import pytest
from cuda_runtime import Cuda
from rtx_build import tensorrt_rtx
from rtx_engine import RefusedPlanError, RtxEngine


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.99])
def test_a_truncated_plan_is_refused(cuda: Cuda, good_plan: bytes, kept: float) -> None:
    with pytest.raises(RefusedPlanError):
        RtxEngine(good_plan[: int(len(good_plan) * kept)], cuda)


@pytest.mark.parametrize("content", [b"", b"no plan" * 1000], ids=["empty", "foreign"])
def test_what_is_no_plan_is_refused(cuda: Cuda, content: bytes) -> None:
    tensorrt_rtx()
    with pytest.raises(RefusedPlanError, match="MALFORMED_ENGINE"):
        RtxEngine(content, cuda)
