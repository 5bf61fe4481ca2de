"""What says that an engine ran here, in a process of its own: only such a one is loaded elsewhere.

An engine may crash its loader, and whoever loads it with that. So it is loaded first where nothing is lost,
by ``edge-sdk build``; what came through has a mark beside it, which holds for these bytes on this GPU
under this driver.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from msgspec import Struct

from .cuda import Gpu
from .sealed_file import DamagedFileError, read_seal, read_sealed, write_sealed

__all__ = ["is_tried", "remove_mark", "write_mark"]


class _Trial(Struct, frozen=True, kw_only=True):
    """One that went well.

    Attributes:
        engine: The seal of the engine's file, in hex.
        gpu: On which it ran.
        cuda: Of its driver.
    """

    engine: str
    gpu: str
    cuda: str


def is_tried(engine: Path, gpu: Gpu) -> bool:
    """Whether an engine ran on this GPU.

    Args:
        engine: Its file.
        gpu: In use.
    """
    try:
        trial, _ = read_sealed(_mark(engine), _Trial)
        return trial == _trial(engine, gpu)
    except (OSError, DamagedFileError):
        return False


def write_mark(engine: Path, gpu: Gpu) -> None:
    """Say that it did.

    Args:
        engine: Its file.
        gpu: On which it ran.

    Raises:
        OSError: It cannot be written.
        DamagedFileError: The engine is no such file any more.
    """
    if not is_tried(engine, gpu):  # a folder that is read-only may have had it for long
        mark = _mark(engine)
        write_sealed(mark, _trial(engine, gpu), b"", partial=mark.with_suffix(f".{os.getpid()}.partial"))


def remove_mark(engine: Path) -> None:
    """Say that it does not any more; where the folder is read-only, nothing changes."""
    with contextlib.suppress(OSError):
        _mark(engine).unlink()


def _trial(engine: Path, gpu: Gpu) -> _Trial:
    return _Trial(engine=read_seal(engine).hex(), gpu=gpu.name, cuda=gpu.cuda)


def _mark(engine: Path) -> Path:
    return engine.with_suffix(".tried")
