"""One process at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
from pathlib import Path

from edge_sdk.errors import OutboxError

__all__ = ["FolderLock", "folder_hint"]

_SCARCE_BYTES = 4_000_000  # what the log of the database may take, and some


class FolderLock:
    """An advisory lock on a folder; the system releases it with the process, however that ends.

    Raises:
        OutboxError: Another process holds it, or the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "outbox.lock"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OutboxError(
                f"cannot keep an outbox in {folder}: {error.strerror}", hint=folder_hint(folder, error)
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._descriptor)
            raise OutboxError(
                f"the outbox in {folder} is in use by another process (pid {holder})",
                hint="stop that process, or give this one a folder of its own",
            ) from error
        with contextlib.suppress(OSError):  # only a courtesy to who is kept out; a full disk has no room
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, str(os.getpid()).encode("ascii"))

    def release(self) -> None:
        """Let the next process in."""
        os.close(self._descriptor)


def folder_hint(folder: Path, error: OSError | None = None) -> str:
    """What to do where a folder cannot be written."""
    if error is not None and error.errno != errno.ENOSPC:
        return "name a folder that this user may write"
    try:
        free_bytes = shutil.disk_usage(folder).free
    except OSError:
        return "is the disk full, read-only or failing?"
    if free_bytes < _SCARCE_BYTES:
        return f"the disk of {folder} has {free_bytes} bytes free: make room, and start again"
    return f"is the disk of {folder} read-only or failing? It has {free_bytes} bytes free"
