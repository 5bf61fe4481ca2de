"""What COCO JSON and Pascal VOC XML have in common: boxes by picture, from files that others wrote."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

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

    Args:
        root: The data set's folder.
        paths: All pictures below it.
    """

    def __init__(self, root: Path, paths: list[Path]) -> None:
        self._root = root
        self._paths = set(paths)
        self._by_name: dict[str, list[Path]] = {}
        for path in paths:
            self._by_name.setdefault(path.name, []).append(path)

    def find(self, name: str, beside: Path) -> Path | None:
        """The picture of that name: from the annotation's folder, from the root, or the only one below.

        Raises:
            DatasetError: Several pictures are called so, and the name does not say which is meant.
        """
        for folder in (beside, self._root):
            if folder / name in self._paths:
                return folder / name
        named = [path for path in self.of_that_name(name) if _ends_with(path, Path(name).parts)]
        if len(named) > 1:
            shown = ", ".join(str(path.relative_to(self._root)) for path in named[:3])
            raise DatasetError(
                f"'{name}' in {beside} could be any of {shown}", hint="give the path below the folder"
            )
        return named[0] if named else None

    def of_that_name(self, name: str) -> list[Path]:
        """All pictures that are called so, in whatever folder."""
        return self._by_name.get(Path(name).name, [])

    def describe_missing(self, name: str) -> str:
        """A name that was not found, with a picture of that name that is in another folder."""
        others = self.of_that_name(name)
        return f"{name} (there is {others[0].relative_to(self._root)})" if others else name


def _ends_with(path: Path, parts: tuple[str, ...]) -> bool:
    return path.parts[-len(parts) :] == parts


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
