"""How long one inference takes here. A hint for the table; what counts is the device."""

from __future__ import annotations

import os
import platform
import statistics
import time
from pathlib import Path

from edge_sdk.contract.values import Float32Array
from edge_sdk.inference.backend import Backend

from ..report.report_file import Latency, Measured

__all__ = ["describe_machine", "measure_latency"]

_WARM_UPS = 3
_FEWEST_RUNS = 10
_MOST_RUNS = 100
_BUDGET_S = 0.5


def measure_latency(variant: str, backend: Backend, tensor: Float32Array) -> Latency:
    """Time repeated inferences of one tensor: at least 10, at most 100, about half a second."""
    inputs = {backend.inputs[0].name: tensor}
    for _ in range(_WARM_UPS):
        backend.infer(inputs)
    times: list[float] = []
    started = time.perf_counter()
    while len(times) < _FEWEST_RUNS or (
        len(times) < _MOST_RUNS and time.perf_counter() - started < _BUDGET_S
    ):
        before = time.perf_counter()
        backend.infer(inputs)
        times.append(1000 * (time.perf_counter() - before))
    times.sort()
    return Latency(
        variant=variant,
        median_ms=round(statistics.median(times), 4),
        p95_ms=round(times[min(len(times) - 1, int(0.95 * len(times)))], 4),
        n=len(times),
    )


def describe_machine(
    bundle_sha256: str, threads: int, libraries: dict[str, str], latency: list[Latency]
) -> Measured:
    """What was timed, and where."""
    return Measured(
        bundle_sha256=bundle_sha256,
        machine=f"{platform.system()} {platform.machine()}",
        processor=f"{_processor_name()}, {os.cpu_count()} processors",
        threads=threads,
        libraries=libraries,
        latency=latency,
    )


def _processor_name() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as described:
            names = [line.partition(":")[2].strip() for line in described if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
