"""How far a builder is, where it tells."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

__all__ = ["BuildShare", "progress_monitor"]


class BuildShare:
    """The share that is done of phases within phases. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phases: dict[str, tuple[str | None, int, int]] = {}
        self._most = 0.0

    def start(self, phase: str, parent: str | None, steps: int) -> float:
        """A phase of so many steps begins, as part of its parent's present step."""
        with self._lock:
            self._phases[phase] = (parent, 0, max(1, steps))
            return self._share()

    def step(self, phase: str, done: int) -> float:
        """So many steps of a phase are done."""
        with self._lock:
            if phase in self._phases:
                parent, _, steps = self._phases[phase]
                self._phases[phase] = (parent, min(done, steps), steps)
            return self._share()

    def finish(self, phase: str) -> float:
        """A phase is over."""
        with self._lock:
            if phase in self._phases:
                parent, _, steps = self._phases[phase]
                self._phases[phase] = (parent, steps, steps)  # some end before their last step
            share = self._share()
            self._phases.pop(phase, None)
            return share

    def _share(self) -> float:
        """Never less than was told before: phases come and go in any order."""
        shares = [self._within(phase) for phase, (parent, _, _) in self._phases.items() if parent is None]
        self._most = max([self._most, *shares])
        return self._most

    def _within(self, phase: str) -> float:
        _, done, steps = self._phases[phase]
        parts = [self._within(child) for child, (parent, _, _) in self._phases.items() if parent == phase]
        return min(1.0, (done + max(parts, default=0.0)) / steps)


def progress_monitor(trt: Any, tell: Callable[[str, float], None]) -> Any | None:
    """What a builder's configuration takes as its monitor; None where this TensorRT knows none.

    Args:
        trt: TensorRT's module.
        tell: Is told the phase and the share of the whole that is done; from any thread.
    """
    return _monitor_type(trt)(tell) if hasattr(trt, "IProgressMonitor") else None


@cache
def _monitor_type(trt: Any) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self, tell: Callable[[str, float], None]) -> None:
            super().__init__()
            self._tell = tell
            self._done = BuildShare()

        def phase_start(self, phase: str, parent: str | None, steps: int) -> None:
            self._tell(phase, self._done.start(phase, parent, steps))

        def step_complete(self, phase: str, step: int) -> bool:
            self._tell(phase, self._done.step(phase, step + 1))
            return True

        def phase_finish(self, phase: str) -> None:
            self._tell(phase, self._done.finish(phase))

    return Monitor
