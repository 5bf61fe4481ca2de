"""The folder of engines, and the words that have one built into it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ...errors import BackendError

__all__ = ["build_command", "default_folder", "rebuild_hint"]


def default_folder() -> Path:
    """``$XDG_CACHE_HOME/edge-sdk/engines``, or the same below ``~/.cache``.

    Raises:
        BackendError: This user has no home.
    """
    given = os.environ.get("XDG_CACHE_HOME")
    if given and Path(given).is_absolute():  # the standard ignores others
        return Path(given) / "edge-sdk" / "engines"
    try:
        return Path.home() / ".cache" / "edge-sdk" / "engines"
    except RuntimeError as error:
        raise BackendError(
            f"there is no folder for engines: {error}", hint="set XDG_CACHE_HOME, or name a folder"
        ) from error


def build_command(folder: Path | None = None, *options: str) -> str:
    """What builds or tries an engine there, for a hint: followed elsewhere, it would help nobody.

    Args:
        folder: Of the engines; None where that is not known, which names none.
        options: To be given beside it.
    """
    named = [] if folder is None or _is_default(folder) else ["--cache", shlex.quote(str(folder.absolute()))]
    return " ".join(["edge-sdk build BUNDLE", *options, *named])


def rebuild_hint(folder: Path | None = None) -> str:
    """What to do about an engine there that is missing, or of no use."""
    return f"`{build_command(folder)}` builds one for this device"


def _is_default(folder: Path) -> bool:
    try:
        return folder.absolute() == default_folder()
    except BackendError:  # no home, no default
        return False
