"""What says that an engine ran here, in a process of its own: only such a one is loaded elsewhere.

An engine may crash its loader, and whoever loads it with that. So it is loaded first where nothing is lost,
by ``edge-sdk build``; what came through has a mark beside it, which holds for these bytes on this GPU
under this driver, run in this way. Each way has a mark of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path

import msgspec
from msgspec import Struct

from .cuda import Gpu
from .sealed_file import DamagedFileError, read_seal, read_sealed, write_sealed

__all__ = [
    "USUAL_SETTINGS",
    "TrialSettings",
    "is_tried",
    "is_tried_otherwise",
    "remove_mark",
    "remove_marks",
    "write_mark",
]


class TrialSettings(Struct, frozen=True, kw_only=True):
    """How an engine is run, as far as its process may crash of that.

    Attributes:
        cuda_graph: By one call for all of an inference, where its shapes are fixed.
        mapped_memory: In the computer's memory, where the GPU is integrated.
    """

    cuda_graph: bool = True
    mapped_memory: bool = False

    def on(self, gpu: Gpu) -> TrialSettings:
        """What comes of them there: a card does not work in the computer's memory, asked to or not."""
        return msgspec.structs.replace(self, mapped_memory=self.mapped_memory and gpu.integrated)

    def __str__(self) -> str:
        return ", ".join(
            f"{name} = {str(value).lower()}" for name, value in msgspec.structs.asdict(self).items()
        )


USUAL_SETTINGS = TrialSettings()
"""Those of who configures nothing."""


class _Trial(Struct, frozen=True, kw_only=True):
    """One that went well.

    Attributes:
        engine: The seal of the engine's file, in hex.
        gpu: On which it ran.
        cuda: Of its driver.
        settings: With which it ran.
    """

    engine: str
    gpu: str
    cuda: str
    settings: TrialSettings = USUAL_SETTINGS


def is_tried(
    engine: Path, gpu: Gpu, settings: TrialSettings = USUAL_SETTINGS, *, seal: bytes | None = None
) -> bool:
    """Whether an engine ran on this GPU with these settings.

    Args:
        engine: Its file.
        gpu: In use.
        settings: How it is to run.
        seal: Of the bytes that are asked about; None are those of the file.
    """
    settings = settings.on(gpu)
    try:
        trial, _ = read_sealed(_mark(engine, settings), _Trial)
        return trial == _trial(read_seal(engine) if seal is None else seal, gpu, settings)
    except (OSError, DamagedFileError):
        return False


def is_tried_otherwise(
    engine: Path, gpu: Gpu, settings: TrialSettings = USUAL_SETTINGS, *, seal: bytes | None = None
) -> bool:
    """Whether it ran there with other settings: then these are at fault where it does not run with them.

    With these it may have run as well, once. Who runs it with the others is to keep it.
    """
    others = {
        TrialSettings(cuda_graph=graph, mapped_memory=mapped).on(gpu)
        for graph, mapped in itertools.product((True, False), repeat=2)
    } - {settings.on(gpu)}
    return any(is_tried(engine, gpu, other, seal=seal) for other in others)


def write_mark(engine: Path, gpu: Gpu, settings: TrialSettings = USUAL_SETTINGS, *, seal: bytes) -> None:
    """Say that it did.

    Args:
        engine: Its file.
        gpu: On which it ran.
        settings: With which it ran.
        seal: Of the bytes that ran: another file that has come into their place has not.

    Raises:
        OSError: It cannot be written.
    """
    if not is_tried(engine, gpu, settings, seal=seal):  # a read-only folder may have had it for long
        settings = settings.on(gpu)
        mark = _mark(engine, settings)
        partial = mark.with_suffix(f".{os.getpid()}.partial")
        trial = _trial(seal, gpu, settings)
        try:
            write_sealed(mark, trial, b"", partial=partial)
        except FileNotFoundError:
            # A builder that begins clears away what looks left over: see remove_partial.
            write_sealed(mark, trial, b"", partial=partial)


def remove_mark(engine: Path, settings: TrialSettings = USUAL_SETTINGS) -> None:
    """Say that with these settings it does not any more; where the folder is read-only, nothing changes."""
    with contextlib.suppress(OSError):
        _mark(engine, settings).unlink()


def remove_marks(engine: Path) -> None:
    """As :func:`remove_mark`, for all settings."""
    for mark in engine.parent.glob(f"{engine.stem}.*tried"):
        with contextlib.suppress(OSError):
            mark.unlink()


def _trial(seal: bytes, gpu: Gpu, settings: TrialSettings) -> _Trial:
    return _Trial(engine=seal.hex(), gpu=gpu.name, cuda=gpu.cuda, settings=settings)


def _mark(engine: Path, settings: TrialSettings) -> Path:
    differs = {"no-graph": not settings.cuda_graph, "mapped": settings.mapped_memory}
    words = "-".join(word for word, does in differs.items() if does)
    return engine.with_suffix(f".{words}.tried" if words else ".tried")
