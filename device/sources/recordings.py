"""Where recordings are."""

from __future__ import annotations

from pathlib import Path

from .named_files import find_files

__all__ = ["SUFFIXES", "find_recordings"]

SUFFIXES = (".wav", ".flac", ".ogg")

_NOT_READ = (".aac", ".aif", ".aiff", ".amr", ".m4a", ".mp3", ".opus", ".wma", ".wv")
"""Sound too, and found all the same: each is told as an error, for half a card in MP3 is no silence."""


def find_recordings(folder: Path) -> list[Path]:
    """All recordings in a folder and below it, in alphabetical order, readable or not.

    Raises:
        UsageError: The folder cannot be read, or holds none.
    """
    return find_files(folder, (*SUFFIXES, *_NOT_READ), "recording")
