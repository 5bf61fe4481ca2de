"""Measures one variant on one backend: ``python -m device.bench.measure_process``.

The request is on standard input. In a process of its own, so that nothing that was loaded for another one
counts, and a library that crashes takes nothing along.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.values import Array
from edge_sdk.errors import EdgeSdkError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.choice import Choice
from edge_sdk.inference.fallback import open_choice
from edge_sdk.inference.options import EngineOptions

from ..child_process import Progressed
from ..choice_status import status_of
from .energy import EnergyMeter, NoMeterError, find_meter
from .messages import Figures, Measured, Request
from .process_memory import peak_memory_mib, present_memory_mib
from .timing import Timing, time_repeatedly

__all__ = ["main", "measure"]

_log = logging.getLogger(__name__)
_WARM_UPS = 3  # allocate what is allocated lazily, and fill the caches


def main() -> None:
    """Answer the request on standard input."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    kept = _KeptWarnings(logging.WARNING)
    logging.getLogger().addHandler(kept)

    def tell(share: float) -> None:
        _answer(Progressed(share=share))

    measured = measure(request, tell)
    _answer(msgspec.structs.replace(measured, warnings=kept.messages))


class _KeptWarnings(logging.Handler):
    """Keeps each warning once: every number of threads loads the model anew."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take one."""
        message = record.getMessage()
        if message not in self.messages:
            self.messages.append(message)


def _answer(message: Progressed | Measured) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


def measure(request: Request, tell: Callable[[float], None]) -> Measured:
    """Measure, then run the golden samples; what goes wrong is in the answer.

    Args:
        request: What to measure.
        tell: Told how far it is, 0 to 1.
    """
    try:
        return _measure(request, tell)
    except EdgeSdkError as error:
        return Measured(
            variant=request.variant,
            backend=request.backend,
            status=status_of(error),
            error=type(error).__name__,
            reason=error.message,
            hint=error.hint,
        )


def _measure(request: Request, tell: Callable[[float], None]) -> Measured:
    from edge_sdk.inference.golden import run_golden
    from edge_sdk.inference.golden_input import first_golden_tensors

    bundle = Bundle.open(Path(request.bundle), require_sha256=request.sha256)
    choice = Choice(bundle.manifest.variant(request.variant), request.backend)
    first, *others = request.threads
    steps = len(request.threads)
    before_mib = present_memory_mib()
    began = time.perf_counter()
    with open_choice(bundle, choice, _with_threads(request, first)) as backend:
        load_ms = 1e3 * (time.perf_counter() - began)
        tensors = first_golden_tensors(bundle, choice.variant, backend)
        began = time.perf_counter()
        backend.infer(tensors)
        first_ms = 1e3 * (time.perf_counter() - began)
        timing, joules = _time(backend, tensors, request.seconds, lambda share: tell(share / steps))
        peak_mib = peak_memory_mib()
        golden = run_golden(bundle, choice.variant.name, backend)
    per_s = {first: timing.per_s}
    for done, threads in enumerate(others, 1):
        with open_choice(bundle, choice, _with_threads(request, threads)) as backend:
            more, _ = _time(backend, tensors, request.seconds, _part(tell, done, steps))
            per_s[threads] = more.per_s
    figures = Figures(
        threads=first,
        load_ms=load_ms,
        first_ms=first_ms,
        median_ms=timing.median_ms,
        p99_ms=timing.p99_ms,
        part_medians_ms=timing.part_medians_ms,
        n=len(timing.times_ms),
        per_s={str(threads): per_s[threads] for threads in sorted(per_s)},
        peak_memory_mib=peak_mib,
        added_memory_mib=None if peak_mib is None or before_mib is None else peak_mib - before_mib,
        energy_mj=None if joules is None else 1e3 * joules / len(timing.times_ms),
    )
    return Measured(
        variant=request.variant,
        backend=request.backend,
        status="passed" if golden.passed else "failed",
        reason=None if golden.passed else "it computes something else here",
        hint=None if golden.passed else "`edge-sdk verify` tells what is off",
        golden=golden,
        figures=figures,
    )


def _with_threads(request: Request, threads: int) -> EngineOptions:
    return msgspec.structs.replace(request.options, threads=threads)


def _part(tell: Callable[[float], None], done: int, steps: int) -> Callable[[float], None]:
    return lambda share: tell((done + share) / steps)


def _time(
    backend: Backend, tensors: dict[str, Array], seconds: float, tell: Callable[[float], None]
) -> tuple[Timing, float | None]:
    """Times, and the energy of all these runs in joules, where something tells."""
    for _ in range(_WARM_UPS):
        backend.infer(tensors)
    meter = _started_meter()
    timing = time_repeatedly(lambda: backend.infer(tensors), seconds, tell)
    try:
        return timing, None if meter is None else meter.stop()
    except NoMeterError as error:
        _log.warning("energy is not known: %s", error.message)
        return timing, None


def _started_meter() -> EnergyMeter | None:
    try:
        meter = find_meter()
        meter.start()
    except NoMeterError:  # why is told once, above the table
        return None
    return meter


if __name__ == "__main__":
    main()
