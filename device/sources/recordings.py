"""Where recordings are."""

from __future__ import annotations

from pathlib import Path

from .named_files import find_files

__all__ = ["SUFFIXES", "find_recordings"]

SUFFIXES = (".wav", ".flac", ".ogg")


def find_recordings(folder: Path) -> list[Path]:
    """All WAV, FLAC and OGG files in a folder and below it, in alphabetical order.

    Raises:
        UsageError: The folder cannot be read, or holds none.
    """
    return find_files(folder, SUFFIXES, "recording")
