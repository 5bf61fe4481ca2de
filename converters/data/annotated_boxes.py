"""What COCO JSON and Pascal VOC XML have in common: boxes by picture, from files that others wrote."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from edge_sdk.contract.values import Box
from edge_sdk.errors import DatasetError

from .picture_set import TrueBox

__all__ = ["Annotated", "PictureFinder", "sound_box"]


@dataclass
class Annotated:
    """One picture that annotations name.

    Attributes:
        path: The file.
        where: The annotation, for messages.
        size: Width and height that it says the picture has; None where it does not.
        boxes: What is marked.
    """

    path: Path
    where: str
    size: tuple[int, int] | None = None
    boxes: list[TrueBox] = field(default_factory=list)


class PictureFinder:
    """Finds pictures by the names that annotations give, wherever below a folder they lie.

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
        named = self._by_name.get(Path(name).name, [])
        if len(named) > 1:
            shown = ", ".join(str(path.relative_to(self._root)) for path in named[:3])
            raise DatasetError(
                f"'{name}' in {beside} could be any of {shown}", hint="give the path below the folder"
            )
        return named[0] if named else None


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
