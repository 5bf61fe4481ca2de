"""Which threads to give a backend: two streams with one each, or one with two: for `backends.py`."""

from __future__ import annotations

import statistics
import threading
import time
from typing import NamedTuple

from backend_cases import Case, infer_picture

from edge_sdk.inference.engine import EngineBackend

__all__ = ["PACE_S", "Streams", "measure_streams"]

PACE_S = 0.1


class Streams(NamedTuple):
    """One case; medians of inferences a second.

    Attributes:
        paced_load: Processors that are busy while two threads infer every 0.1 s.
    """

    model: str
    library: str
    two_streams_per_s: float
    two_threads_per_s: float
    ratio: float
    paced_load: float


def measure_streams(case: Case, rounds: int, seconds: float) -> Streams:
    """Inferences a second of two streams with a thread each, and of one with two threads."""
    two_streams = [case.backend(1) for _ in range(2)]
    two_threads = [case.backend(2)]
    measured: list[tuple[float, float]] = []
    for turn in range(rounds + 1):
        if turn % 2:
            threads_per_s, streams_per_s = _per_s(two_threads, seconds), _per_s(two_streams, seconds)
        else:
            streams_per_s, threads_per_s = _per_s(two_streams, seconds), _per_s(two_threads, seconds)
        measured.append((streams_per_s, threads_per_s))
    kept = measured[1:]  # the first one warms up
    return Streams(
        case.name,
        case.library,
        two_streams_per_s=statistics.median(streams for streams, _ in kept),
        two_threads_per_s=statistics.median(threads for _, threads in kept),
        ratio=statistics.median(streams / threads for streams, threads in kept),
        paced_load=_paced_load(two_threads[0], rounds * seconds),
    )


def _paced_load(backend: EngineBackend, seconds: float) -> float:
    """Processor time over wall time; nothing is to be done for most of it."""
    infer = infer_picture(backend)
    began, began_busy = time.perf_counter(), time.process_time()
    for number in range(1, 2 + round(seconds / PACE_S)):
        infer()
        time.sleep(max(0.0, began + number * PACE_S - time.perf_counter()))
    return (time.process_time() - began_busy) / (time.perf_counter() - began)


def _per_s(backends: list[EngineBackend], seconds: float) -> float:
    """Inferences a second of all of them together, each in a Python thread of its own."""
    counts = [0] * len(backends)
    together = threading.Barrier(len(backends))

    def stream(number: int, backend: EngineBackend) -> None:
        infer = infer_picture(backend)
        together.wait()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            infer()
            counts[number] += 1

    threads = [threading.Thread(target=stream, args=pair) for pair in enumerate(backends)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)
