"""One builder at a time in a folder: two would take twice the memory, to write the same file."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import BackendError
from .engine_cache import writing_hint

__all__ = ["build_lock"]

_LOCK = "build.lock"


@contextlib.contextmanager
def build_lock(folder: Path, on_wait: Callable[[int | None], None]) -> Iterator[None]:
    """Hold the folder; the system lets go of it with the process, however that ends.

    Args:
        folder: Of engines; made where it is not there.
        on_wait: Is told the process that holds it, if that is known, before waiting for it.

    Raises:
        BackendError: The folder cannot be made, written or locked.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise BackendError(
            f"cannot keep engines in {folder}: {error.strerror}", hint=writing_hint(error, 0)
        ) from error
    try:
        _lock(descriptor, folder, on_wait)
        with contextlib.suppress(OSError):  # only a courtesy to who waits; a full disk has no room
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path, on_wait: Callable[[int | None], None]) -> None:
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            on_wait(int(holder) if holder.isdecimal() else None)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise BackendError(
            f"cannot lock {folder}: {error.strerror}",
            hint="some network file systems have no locks: name a folder on this device with --cache",
        ) from error
