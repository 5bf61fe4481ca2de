"""A GPU gives the answers of ONNX Runtime on the CPU, within a bound for each precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from gpu_case import BOUNDS, GpuCase, relative
from gpu_engine import GpuEngine
from gpu_models import MODELS

pytestmark = pytest.mark.usefixtures("cuda")  # first: no model is made in vain

TF32_BOUND = 5e-3


def test_agrees_with_the_cpu(
    case: GpuCase, open_engine: Callable[..., GpuEngine], note: Callable[..., None]
) -> None:
    given = case.on_gpu(open_engine(case.onnx))
    on_cpu, original = case.on_cpu(case.onnx), case.on_cpu(case.original)
    difference, lost = relative(given, on_cpu), relative(on_cpu, original)
    bound = max(BOUNDS[case.precision], lost)
    note(
        relative_difference=difference,
        relative_difference_bound=bound,
        relative_difference_to_float32=relative(given, original),
        cpu_relative_difference_to_float32=lost,
    )
    assert difference <= bound


@pytest.mark.parametrize("runner", ["onnxruntime-cuda"], indirect=True)
@pytest.mark.parametrize("case", [(model, "float32") for model in MODELS], ids="-".join, indirect=True)
def test_agrees_more_loosely_where_tf32_is_allowed(
    case: GpuCase, open_engine: Callable[..., GpuEngine], note: Callable[..., None]
) -> None:
    """Engines are never built with it."""
    difference = relative(case.on_gpu(open_engine(case.onnx, tf32=True)), case.on_cpu(case.onnx))
    note(tf32_relative_difference=difference, tf32_relative_difference_bound=TF32_BOUND)
    assert difference <= TF32_BOUND


def test_the_same_input_gives_the_same_answer(
    case: GpuCase, open_engine: Callable[..., GpuEngine], note: Callable[..., None]
) -> None:
    engine = open_engine(case.onnx)
    first, second = case.on_gpu(engine), case.on_gpu(engine)
    difference = relative(second, first)
    note(repeated_relative_difference=difference)
    assert difference <= BOUNDS[case.precision]  # not the same bits: sums may be added in another order
    assert not np.array_equal(first[0], first[1])
