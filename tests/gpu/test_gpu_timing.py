"""How long it takes, noted and not judged: the numbers are of one machine."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from gpu_case import BOUNDS, GpuCase, relative
from gpu_engine import GpuEngine

from edge_sdk.inference.tensorrt.cuda import Cuda

pytestmark = pytest.mark.usefixtures("cuda")  # first: no model is made in vain

REPEATS = 2000
WARM_UP = 200


def spread(one: Callable[[], float]) -> dict[str, float]:
    """Median and 99th percentile of what ``one`` gives, in ms."""
    for _ in range(WARM_UP):
        one()
    values = np.array([one() for _ in range(REPEATS)])
    return {
        "median_ms": round(float(np.median(values)), 4),
        "p99_ms": round(float(np.quantile(values, 0.99)), 4),
    }


def clocked_ms(work: Callable[[], object]) -> float:
    """How long it takes by the computer's clock."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1e3


def measured(engine: GpuEngine, case: GpuCase, cuda: Cuda) -> dict[str, object]:
    """Times of one engine, copies included: by the GPU's clock, and as whoever waits for it sees them.

    Beside the latter the bare call: to enqueue or to replay what the inputs hold already, and to wait for it.
    """
    tensors = case.tensors

    def bare() -> None:
        engine.enqueue()
        cuda.synchronize(engine.stream)

    return {
        "first_inference_ms": round(clocked_ms(lambda: engine.run(tensors)), 2),
        "by_the_gpus_clock": spread(lambda: cuda.elapsed_ms(engine.stream, engine.enqueue)),
        "as_waited_for": spread(lambda: clocked_ms(lambda: engine.run(tensors))),
        "bare_call": spread(lambda: clocked_ms(bare)),
    }


@pytest.mark.parametrize("way", ["enqueued", "replayed"])
def test_times_are_noted_and_answers_stay_right(
    case: GpuCase, cuda: Cuda, open_engine: Callable[..., GpuEngine], note: Callable[..., None], way: str
) -> None:
    start = time.perf_counter()
    engine = open_engine(case.onnx, graph=way == "replayed")
    open_ms = (time.perf_counter() - start) * 1e3
    note(repeats=REPEATS, **{way: {"open_ms": round(open_ms, 1), **measured(engine, case, cuda)}})
    fresh = case.on_gpu(open_engine(case.onnx))
    assert relative(case.on_gpu(engine), fresh) <= BOUNDS[case.precision]
