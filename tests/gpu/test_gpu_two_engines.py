"""Several engines in one process do not disturb each other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from gpu_case import BOUNDS, GpuCase, relative
from gpu_engine import GpuEngine

from edge_sdk.contract.values import Float32Array

pytestmark = pytest.mark.usefixtures("cuda")  # first: no model is made in vain

ROUNDS = 100


def is_right(engine: GpuEngine, case: GpuCase, alone: list[Float32Array]) -> bool:
    return relative(case.on_gpu(engine), alone) <= BOUNDS[case.precision]


def test_in_turns_each_answers_as_alone(pair: list[GpuCase], open_engine: Callable[..., GpuEngine]) -> None:
    engines = [open_engine(case.onnx) for case in pair]
    alone = [case.on_gpu(engine) for engine, case in zip(engines, pair, strict=True)]
    for _ in range(ROUNDS):
        for engine, case, expected in zip(engines, pair, alone, strict=True):
            assert is_right(engine, case, expected)


def test_in_two_threads_each_answers_as_alone(
    pair: list[GpuCase], open_engine: Callable[..., GpuEngine]
) -> None:
    engines = [open_engine(case.onnx) for case in pair]
    alone = [case.on_gpu(engine) for engine, case in zip(engines, pair, strict=True)]
    right = [0 for _ in pair]
    start = threading.Barrier(len(pair))

    def repeat(index: int) -> None:
        start.wait(timeout=60)
        for _ in range(ROUNDS):
            right[index] += is_right(engines[index], pair[index], alone[index])

    threads = [threading.Thread(target=repeat, args=(index,)) for index in range(len(pair))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [ROUNDS for _ in pair]
