"""A captured CUDA graph does what enqueueing does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gpu_case import BOUNDS, GpuCase, relative
from gpu_engine import GpuEngine

pytestmark = pytest.mark.usefixtures("cuda")  # first: no model is made in vain


def test_replaying_equals_enqueueing(
    case: GpuCase, open_engine: Callable[..., GpuEngine], note: Callable[..., None]
) -> None:
    enqueued = case.on_gpu(open_engine(case.onnx))
    replayed = case.on_gpu(open_engine(case.onnx, graph=True))
    difference = relative(replayed, enqueued)
    note(graph_relative_difference=difference)
    assert difference <= BOUNDS[case.precision]
