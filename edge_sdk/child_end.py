"""How a process of ours ended, in words: the same ones wherever one was started for work that may crash."""

from __future__ import annotations

import contextlib
import signal

__all__ = ["how_it_ended", "last_lines", "was_killed"]

_LONGEST = 300


def was_killed(code: int) -> bool:
    """Whether it was ended by force, which the system does for want of memory.

    Args:
        code: That it ended with; negative is a signal, as :class:`subprocess.Popen` has it.
    """
    return code == -signal.SIGKILL


def how_it_ended(code: int) -> str:
    """``was killed``, ``ended by SIGSEGV`` or ``ended with code 1``.

    Args:
        code: As in :func:`was_killed`.
    """
    if was_killed(code):
        return "was killed"
    with contextlib.suppress(ValueError):
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"


def last_lines(log: bytes, count: int) -> list[str]:
    """What it said last, each line cut where it is endless.

    Args:
        log: Its standard error, or the end of it.
        count: At most so many lines.
    """
    lines = [line.strip()[:_LONGEST] for line in log.decode("utf-8", "replace").splitlines()]
    return [line for line in lines if line][-count:]
