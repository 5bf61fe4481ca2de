"""Where pictures and videos are."""

from __future__ import annotations

from pathlib import Path

from edge_sdk.image.picture_file import PICTURE_SUFFIXES
from edge_sdk.image.video_file import VIDEO_SUFFIXES

from .named_files import find_files, is_folder

__all__ = ["find_pictures"]

_NOT_READ = frozenset((".avif", ".heic", ".heif"))
"""Pictures too. They are found all the same, so that each is told as an error."""


def find_pictures(given: Path) -> list[Path]:
    """A file as it is; of a folder all pictures and videos in it and below, in alphabetical order.

    Raises:
        UsageError: There is no such file or folder, or no picture in it.
    """
    if not is_folder(given):
        return [given]
    return find_files(given, PICTURE_SUFFIXES | VIDEO_SUFFIXES | _NOT_READ, "picture or video")
