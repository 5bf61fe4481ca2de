"""What the benchmark of backends tells of memory: a leak grows in every part, a page taken once in none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process has")

INFERENCES = 200
WARM_UP = 20
LAST = WARM_UP + INFERENCES
MEASURE = Path(__file__).parents[1] / "support/keeping_engine.py"
Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measure(project: Path) -> Measure:
    """Growth where so many bytes are kept of each inference from the one to the other, in a new process."""

    def measure(kept_bytes: int, *, first: int, last: int) -> dict[str, Any]:
        numbers = map(str, (kept_bytes, first, last, INFERENCES))
        environment = {**os.environ, "PYTHONPATH": str(project / "benchmarks")}
        done = subprocess.run(
            [sys.executable, MEASURE, *numbers], env=environment, check=True, capture_output=True, text=True
        )
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    return measure


def test_what_is_kept_of_each_inference_grows_in_every_part(measure: Measure) -> None:
    told = measure(16 << 10, first=1, last=LAST)
    assert told["growth_of_part_kib"] >= 0.9 * 16 * INFERENCES / 10
    assert told["growth_kib"] >= 0.9 * 16 * INFERENCES
    assert told["python_blocks_of_part"] >= INFERENCES / 10


def test_what_is_taken_once_is_in_the_sum_alone(measure: Measure) -> None:
    middle = LAST // 2
    told = measure(4 << 20, first=middle, last=middle)
    assert told["growth_kib"] >= 4 << 10
    assert told["growth_of_part_kib"] == 0
    assert told["python_blocks_of_part"] == 0


def test_what_is_taken_before_caches_are_full_does_not_count(measure: Measure) -> None:
    told = measure(4 << 20, first=WARM_UP, last=WARM_UP)
    assert told["growth_kib"] < 1 << 10
