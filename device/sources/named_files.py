"""Files and folders as people name them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from edge_sdk.errors import UsageError

__all__ = ["expand_home", "find_files", "is_folder"]


def find_files(folder: Path, suffixes: Collection[str], what: str) -> list[Path]:
    """All files in a folder and below it whose name ends in one of some suffixes, in alphabetical order.

    Args:
        folder: Where to look.
        suffixes: In lower case, each with its dot.
        what: What such a file is called in the message.

    Raises:
        UsageError: The folder cannot be read, or holds none.
    """
    try:
        # macOS leaves a hidden twin "._NAME.WAV" of each file on a card.
        paths = sorted(
            path
            for path in folder.rglob("*")
            if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
        )
    except OSError as error:
        raise UsageError(f"cannot read the directory {folder}: {error.strerror or error}") from error
    if not paths:
        raise UsageError(
            f"there is no {what} in {folder}",
            hint=f"files with these endings count: {', '.join(sorted(suffixes))}",
        )
    return paths


def is_folder(path: Path) -> bool:
    """Whether it is a folder; else it is a file.

    Raises:
        UsageError: There is neither, or nothing can have that name.
    """
    try:
        if path.is_dir():
            return True
        if path.exists():
            return False
    except OSError as error:  # a name that is too long, or a folder that is locked
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    raise UsageError(f"there is no file or directory {path}")


def expand_home(path: str) -> Path:
    """The path, with ``~`` and ``~user`` replaced by the home folder.

    Raises:
        UsageError: There is no such user, the user has no home, or no path can be that.
    """
    if "\0" in path:
        raise UsageError(f"a path cannot hold a NUL character: {path!r}")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"cannot find the home folder in {path}", hint="write the whole path, from / on"
        ) from error
