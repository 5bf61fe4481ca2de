"""One measuring process: started, listened to, and explained where it dies."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable
from typing import IO

import msgspec

from edge_sdk.child_python import module_command

from .messages import Measured, Progressed, Request

__all__ = ["measure_in_process"]

_LOADING_S = 600.0
_TAIL_LINES = 5


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
    overdue = threading.Event()
    with tempfile.TemporaryFile() as errors, _started(errors) as process:
        timer = threading.Timer(limit_s, _end_overdue, (process, overdue))
        timer.start()
        try:
            measured = _converse(process, request, tell)
            code = process.wait()
        finally:
            timer.cancel()
            process.kill()  # where we are interrupted, it must not go on alone
        if measured is not None:
            return measured
        reason = f"it took longer than {limit_s:g} s" if overdue.is_set() else _how_it_ended(code, errors)
        return Measured(variant=request.variant, backend=request.backend, status="failed", reason=reason)


def _started(errors: IO[bytes]) -> subprocess.Popen[bytes]:
    command = module_command(f"{__package__}.measure_process")
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)


def _converse(
    process: subprocess.Popen[bytes], request: Request, tell: Callable[[float], None]
) -> Measured | None:
    """Its answer; None where it died before."""
    if process.stdin is None or process.stdout is None:
        return None
    with contextlib.suppress(BrokenPipeError):  # it died at once: how will be told
        process.stdin.write(msgspec.json.encode(request))
        process.stdin.close()
    decoder = msgspec.json.Decoder(Progressed | Measured)
    for line in process.stdout:
        try:
            message = decoder.decode(line)
        except msgspec.DecodeError:
            continue  # a library's own words, on a stream that should be ours
        if isinstance(message, Measured):
            return message
        tell(message.share)
    return None


def _end_overdue(process: subprocess.Popen[bytes], overdue: threading.Event) -> None:
    overdue.set()
    process.kill()


def _how_it_ended(code: int, errors: IO[bytes]) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed, most likely because memory ran out"
    errors.seek(0)
    tail = errors.read().decode(errors="replace").strip().splitlines()[-_TAIL_LINES:]
    how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return "\n".join([f"its process {how}", *tail])
