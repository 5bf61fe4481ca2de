"""How much memory this process takes."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["peak_memory_mib", "present_memory_mib"]

_STATUS = Path("/proc/self/status")


def present_memory_mib() -> float | None:
    """Resident now; None where the system does not tell."""
    return _status_field("VmRSS")


def peak_memory_mib() -> float | None:
    """The most that was ever resident; None where the system does not tell."""
    peak = _status_field("VmHWM")
    if peak is not None:
        return peak
    try:
        import resource  # not on every system
    except ImportError:
        return None
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (2**20 if sys.platform == "darwin" else 2**10)


def _status_field(name: str) -> float | None:
    try:
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 2**10 for line in lines if line.startswith(f"{name}:")), None)
