"""What COCO JSON and Pascal VOC XML have in common: boxes by picture, from files that others wrote."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from edge_sdk.contract.values import Box
from edge_sdk.errors import DatasetError

from .picture_set import Passed, TrueBox

__all__ = ["Annotated", "PictureFinder", "refuse_shares", "sound_box"]

_LARGEST_SHARE = 1.01
"""Shares end at 1, or a little above it by rounding."""


@dataclass
class Annotated:
    """One picture that annotations name.

    Attributes:
        path: The file.
        where: The annotation, for messages.
        size: Width and height that it says the picture has; None where it does not.
        boxes: What is marked.
        without_area: How many marks are no boxes, as they have no area.
    """

    path: Path
    where: str
    size: tuple[int, int] | None = None
    boxes: list[TrueBox] = field(default_factory=list)
    without_area: int = 0

    def mark(self, label_id: str, corners: Box | None, passed: Passed) -> None:
        """Add what is marked; one without area is counted alone."""
        if corners is None:
            self.without_area += 1
        else:
            self.boxes.append(TrueBox(label_id, corners, passed))


class PictureFinder:
    """Finds pictures by the names that annotations give, wherever below a folder they lie.

    A name with folders means a picture in folders of these names: ``val/0.png`` is not ``train/0.png``.
    Of an absolute name, as of another machine, the last of these folders do, at least one.

    Args:
        root: The data set's folder.
        paths: All pictures below it.
    """

    def __init__(self, root: Path, paths: list[Path]) -> None:
        self._root = root
        self._paths = {os.path.normpath(path): path for path in paths}
        self._by_name: dict[str, list[Path]] = {}
        for path in paths:
            self._by_name.setdefault(path.name, []).append(path)

    def find(self, name: str, beside: Path) -> Path | None:
        """The picture of that name: from the annotation's folder, from the root, or the only one below.

        Raises:
            DatasetError: Several pictures are called so, and the name does not say which is meant.
        """
        tails = _tails(name)
        found = self._nearby(name, beside)
        named = next(filter(None, (self._ending_with(tail) for tail in tails)), [])
        if found is None and not named and PureWindowsPath(name).anchor:
            found = self._nearby(PureWindowsPath(name).name, beside)
        if found is not None:
            return found
        if len(named) > 1:
            shown = ", ".join(str(path.relative_to(self._root)) for path in named[:3])
            raise DatasetError(
                f"'{name}' in {beside} could be any of {shown}", hint="give the path below the folder"
            )
        return named[0] if named else None

    def _nearby(self, name: str, beside: Path) -> Path | None:
        places = (os.path.normpath(folder / name) for folder in (beside, self._root))
        return next((self._paths[place] for place in places if place in self._paths), None)

    def _ending_with(self, tail: tuple[str, ...]) -> list[Path]:
        return [path for path in self.of_that_name(tail[-1]) if path.parts[-len(tail) :] == tail]

    def of_that_name(self, name: str) -> list[Path]:
        """All pictures that are called so, in whatever folder."""
        return self._by_name.get(PureWindowsPath(name).name, [])

    def describe_missing(self, name: str) -> str:
        """A name that was not found, with a picture of that name that is in another folder."""
        others = self.of_that_name(name)
        return f"{name} (there is {others[0].relative_to(self._root)})" if others else name


def _tails(name: str) -> list[tuple[str, ...]]:
    """With which folders a picture may end that is called so, the most first.

    Leading ``..`` tell nothing of the folders below. An absolute name is another machine's, maybe of
    Windows, so fewer of its folders do; but not none, as many data sets call their first picture alike.
    """
    said = PureWindowsPath(os.path.normpath(PureWindowsPath(name).as_posix()))
    parts = tuple(part for part in said.parts if part not in (said.anchor, ".."))
    fewest = min(2, len(parts)) if said.anchor else len(parts)
    return [parts[-n:] for n in range(len(parts), fewest - 1, -1) if n]


def refuse_shares(root: Path, annotated: Iterable[Annotated]) -> None:
    """Boxes as shares of the picture would all be one pixel in its corner, and never found.

    Raises:
        DatasetError: Boxes are marked, and none ends beyond the first pixel.
    """
    boxes = [box for picture in annotated for box in picture.boxes]
    if boxes and all(max(box.box) <= _LARGEST_SHARE for box in boxes):
        raise DatasetError(
            f"all {len(boxes)} boxes in {root} lie within 0..1: they look like shares of the picture",
            hint="boxes are in pixels: multiply them by the width and height of their picture",
        )


def sound_box(where: str, corners: Box) -> Box | None:
    """A box as four numbers; None for one without area, in which nothing can be found.

    Raises:
        DatasetError: A number is not finite, or the corners are exchanged.
    """
    x1, y1, x2, y2 = corners
    if not all(math.isfinite(number) for number in corners) or x2 < x1 or y2 < y1:
        raise DatasetError(
            f"{where}: box {[round(number, 2) for number in corners]} is none",
            hint="x1, y1, x2, y2 in pixels, with x1 < x2 and y1 < y2",
        )
    return corners if x2 > x1 and y2 > y1 else None
