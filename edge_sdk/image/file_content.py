"""Before a picture or video is opened: is there a file with something in it?"""

from __future__ import annotations

from pathlib import Path

from ..errors import ImageError, UsageError

__all__ = ["first_bytes"]


def first_bytes(file: Path, count: int) -> bytes:
    """Read the beginning of a file.

    Returns:
        As many bytes as the file has, ``count`` at most; at least one.

    Raises:
        UsageError: There is no such file, it is a folder, or it may not be read.
        ImageError: It is empty.
    """
    if not file.exists():
        raise UsageError(f"there is no file {file}")
    if not file.is_file():
        raise UsageError(f"{file} is not a file, and a picture or video is wanted")
    try:
        with file.open("rb") as content:
            start = content.read(count)
    except OSError as error:
        raise UsageError(f"{file} cannot be opened: {error.strerror}") from error
    if not start:
        raise ImageError(f"{file} is empty (0 bytes)", hint="the camera or the copy may have failed")
    return start
