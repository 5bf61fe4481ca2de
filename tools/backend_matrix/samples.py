"""What the matrix's models are compared on, and what calibrates those that have no labelled samples."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edge_sdk.image.picture_file import is_picture

__all__ = ["known_photos", "other_photos", "pictures_in", "recordings_in", "some_of", "street_scenes"]


def known_photos(data: Path) -> tuple[Path, ...]:
    """Photos of known content, which calibrate nothing."""
    return (*pictures_in(data / "images/coral"), *pictures_in(data / "images/darknet"))


def street_scenes(data: Path) -> tuple[Path, ...]:
    """Those of PASCAL VOC."""
    return pictures_in(data / "images/voc100/images")


def other_photos(data: Path) -> tuple[Path, ...]:
    """A hundred: of streets, of things, and of flowers."""
    flowers = some_of(pictures_in(data / "images/flowers128"), 45)
    return (*street_scenes(data), *pictures_in(data / "images/fastestdet"), *flowers)


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """All of a folder and its folders, in order."""
    return tuple(sorted(path for path in folder.rglob("*") if is_picture(path)))


def recordings_in(folder: Path) -> tuple[Path, ...]:
    """All of a folder, in order."""
    return tuple(sorted(folder.glob("*.ogg")))


def some_of(paths: Iterable[Path], n: int) -> tuple[Path, ...]:
    """An even choice of so many, or all of them."""
    every = tuple(paths)
    n = min(n, len(every))
    return tuple(every[place * len(every) // n] for place in range(n))
