"""Lists of photos that are not in the repository, and the folders that ``edge-sdk convert`` wants.

A list is a CSV beside the example: ``path`` below the folder of photos, and the ``folder`` that the
photo goes to, such as ``calibration/daisy``.
"""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from edge_sdk.errors import DatasetError

_WHERE_FROM = "docs/reference/models.md, 'Photos'"


class ListedPhoto(NamedTuple):
    """One line of a list: a photo, and where it belongs."""

    path: str
    folder: str


def default_photos() -> Path:
    """Where photos are looked for: ``$EDGE_SDK_DATA/images``, else ``../shared/data/images``."""
    return Path(os.environ.get("EDGE_SDK_DATA", "../shared/data")) / "images"


def read_list(path: Path) -> list[ListedPhoto]:
    """The lines of a list, in its order."""
    with path.open(newline="", encoding="utf-8") as file:
        return [ListedPhoto(row["path"], row["folder"]) for row in csv.DictReader(file)]


def lay_out(listed: list[ListedPhoto], photos: Path, output: Path) -> None:
    """Copy the listed photos into their folders.

    Raises:
        DatasetError: Photos are missing; nothing was copied.
    """
    refuse_missing(photos, [photo.path for photo in listed])
    for photo in listed:
        target = output / photo.folder / photo.path.replace("/", "_")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(photos / photo.path, target)


def refuse_missing(photos: Path, paths: list[str]) -> None:
    """Look for photos before any is copied.

    Raises:
        DatasetError: Some are missing.
    """
    missing = [path for path in paths if not (photos / path).is_file()]
    if missing:
        raise DatasetError(
            f"{len(missing)} of {len(paths)} photos are not in {photos}, {missing[0]} among them",
            hint=f"--photos names the folder that holds them; which they are: {_WHERE_FROM}",
        )
