"""An engine that cannot be trusted is refused by the library itself, and leaves nothing on the GPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from gpu_models import onnx_path

from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt.cuda import Cuda
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tensorrt.library import Library


@pytest.fixture
def good_plan(model_folder: Path, plan_of: Callable[[bytes], bytes]) -> bytes:
    return plan_of(onnx_path(model_folder, "small-cnn", "float32").read_bytes())


def refusal(plan: bytes, cuda: Cuda, library: Library) -> str:
    with pytest.raises(BackendError) as caught:
        TensorRtEngine(plan, library=library, cuda=cuda, name="small-cnn")
    assert "edge-sdk build" in str(caught.value.hint)
    return caught.value.message


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.99])
def test_a_truncated_engine(cuda: Cuda, library: Library, good_plan: bytes, kept: float) -> None:
    assert "refuses the engine" in refusal(good_plan[: int(len(good_plan) * kept)], cuda, library)


@pytest.mark.parametrize("content", [b"", b"no plan" * 1000], ids=["empty", "foreign"])
def test_what_is_no_engine(cuda: Cuda, library: Library, content: bytes) -> None:
    assert "refuses the engine" in refusal(content, cuda, library)


def test_nothing_stays_on_the_gpu(cuda: Cuda, library: Library, good_plan: bytes) -> None:
    refusal(good_plan[:-100], cuda, library)
    before = cuda.free_memory()
    for _ in range(5):
        refusal(good_plan[:-100], cuda, library)
    assert cuda.free_memory() >= before
