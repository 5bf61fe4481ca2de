"""What this device is: what its measured times hold for."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from msgspec import Struct

__all__ = ["Machine", "this_machine"]

_ROOT = Path("/")


class Machine(Struct, frozen=True, kw_only=True):
    """A device.

    Attributes:
        board: What the board calls itself, like ``Raspberry Pi 5 Model B Rev 1.0``; null where it does not.
        processor: Its name, as far as the system knows it.
        architecture: Like ``aarch64``.
        system: Like ``Linux``.
        processors: How many this process may use.
    """

    board: str | None
    processor: str
    architecture: str
    system: str
    processors: int

    def __str__(self) -> str:
        what = self.board or self.processor
        return f"{what}, {self.processors} x {self.architecture}, {self.system}"


def this_machine(root: Path = _ROOT) -> Machine:
    """The device that runs this.

    Args:
        root: Where the system's files are.
    """
    return Machine(
        board=_text(root / "proc/device-tree/model") or None,
        processor=_processor(root) or platform.processor() or platform.machine(),
        architecture=platform.machine(),
        system=platform.system(),
        processors=_usable_processors(),
    )


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor(root: Path) -> str | None:
    lines = _text(root / "proc/cpuinfo").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip(" \t\n\0")
    except OSError:
        return ""
