"""One measuring process: started, listened to, and explained where it dies."""

from __future__ import annotations

from collections.abc import Callable

from ..child_process import ChildProcess
from .messages import Measured, Request

__all__ = ["measure_in_process"]

_LOADING_S = 600.0


def measure_in_process(
    request: Request, tell: Callable[[float], None], *, loading_s: float = _LOADING_S
) -> Measured:
    """Measure one variant on one backend in a process of its own.

    Args:
        request: What to measure.
        tell: Told how far it is, 0 to 1.
        loading_s: How long it may take beside the runs themselves; then it is ended.

    Returns:
        What was measured; of a process that died, how it did.
    """
    limit_s = loading_s + 3 * request.seconds * len(request.threads)
    answer = ChildProcess(f"{__package__}.measure_process", Measured).ask(request, limit_s, tell)
    if isinstance(answer, Measured):
        return answer
    return Measured(variant=request.variant, backend=request.backend, status="failed", reason=answer)
