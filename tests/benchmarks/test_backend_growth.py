"""What the benchmark of backends tells of memory: a leak grows in every part, a page taken once in none."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_sdk.contract.values import Array, TensorSpec

if TYPE_CHECKING:
    from backend_growth import Growth

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process has")

INFERENCES = 200
WARM_UP = 20


class KeepingEngine:
    """Keeps so many bytes of the inference with that number, the first being 1."""

    library = "a library that keeps memory"
    errors: tuple[type[Exception], ...] = (RuntimeError,)
    inputs = (TensorSpec("picture", (1, 224, 224, 3), "float32"),)
    outputs = (TensorSpec("scores", (1, 2), "float32"),)

    def __init__(self, kept_bytes: Callable[[int], int]) -> None:
        self._kept_bytes = kept_bytes
        self._kept: list[bytearray] = []
        self._inferences = 0

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Answers nothing of interest."""
        self._inferences += 1
        if kept := self._kept_bytes(self._inferences):
            self._kept.append(bytearray(b"x") * kept)
        return {"scores": np.zeros((1, 2), np.float32)}


@pytest.fixture
def measured(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], int]], Growth]:
    monkeypatch.syspath_prepend(str(project / "benchmarks"))
    cases: Any = importlib.import_module("backend_cases")
    growth: Any = importlib.import_module("backend_growth")

    def measure(kept_bytes: Callable[[int], int]) -> Growth:
        case = cases.Case("model", "library", lambda _: KeepingEngine(kept_bytes))
        told: Growth = growth.measure_growth(case, INFERENCES)
        return told

    return measure


def test_what_is_kept_of_each_inference_grows_in_every_part(
    measured: Callable[[Callable[[int], int]], Growth],
) -> None:
    told = measured(lambda _: 16 << 10)
    assert told.growth_of_part_kib >= 0.9 * 16 * INFERENCES / 10
    assert told.growth_kib >= 0.9 * 16 * INFERENCES
    assert told.python_blocks_of_part >= INFERENCES / 10


def test_what_is_taken_once_is_in_the_sum_alone(
    measured: Callable[[Callable[[int], int]], Growth],
) -> None:
    told = measured(lambda number: 4 << 20 if number == INFERENCES // 2 else 0)
    assert told.growth_kib >= 4 << 10
    assert told.growth_of_part_kib == 0
    assert told.python_blocks_of_part == 0


def test_what_is_taken_before_caches_are_full_does_not_count(
    measured: Callable[[Callable[[int], int]], Growth],
) -> None:
    told = measured(lambda number: 4 << 20 if number == WARM_UP else 0)
    assert told.growth_kib < 1 << 10
