"""Pascal VOC XML: one annotation file a picture, as VOC2007-2012 and LabelImg write them.

Corners are counted from 1 there and belong to the box, so that its left upper corner is
``xmin - 1, ymin - 1``; ``difficult`` things are passed over when figures are computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from edge_sdk.errors import DatasetError

from .annotated_boxes import Annotated, PictureFinder, sound_box
from .label_names import LabelNames

__all__ = ["find_voc_files", "read_voc"]

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def find_voc_files(files: Iterable[Path]) -> list[Path]:
    """XML files."""
    return [path for path in files if path.suffix.lower() == ".xml"]


def read_voc(path: Path, names: LabelNames, finder: PictureFinder) -> Annotated:
    """Read the boxes of one picture.

    The picture is the one that ``filename`` names, or else has the annotation's own name.

    Args:
        path: The XML.
        names: Finds the model's labels by the names of objects.
        finder: Finds the picture.

    Raises:
        DatasetError: It is not of that form, the picture is missing, or an object is no label.
    """
    root = _parse(path)
    named = (root.findtext("filename") or "").strip()
    found = _picture(path, named, finder)
    if found is None:
        raise DatasetError(f"{path}: there is no picture '{named or path.stem}'")
    size = root.find("size")
    picture = Annotated(found, path.name, None if size is None else _size(path, size))
    for number, thing in enumerate(root.iter("object")):
        where = f"{path}, object {number}"
        name = (thing.findtext("name") or "").strip()
        label_id = names.find(name)
        if label_id is None:
            raise DatasetError(f"{where}: '{name}' is no label of the model", hint=names.hint(name))
        x1, y1, x2, y2 = _corners(where, thing)
        box = sound_box(where, (max(0.0, x1 - 1), max(0.0, y1 - 1), x2, y2))
        difficult = (thing.findtext("difficult") or "0").strip() == "1"
        picture.mark(label_id, box, "difficult" if difficult else "")
    return picture


def _parse(path: Path) -> ET.Element:
    try:
        content = path.read_bytes()
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise DatasetError(f"{path} defines entities, which no annotation needs")
        root = ET.fromstring(content)  # noqa: S314  (entities, which could grow, are refused above)
    except (OSError, ET.ParseError, ValueError) as error:
        raise DatasetError(f"{path} is no XML: {error}") from error
    if root.tag != "annotation":
        raise DatasetError(
            f"{path} is no Pascal VOC annotation: its root is <{root.tag}>, not <annotation>",
            hint="remove XML files of other kinds",
        )
    return root


def _picture(path: Path, named: str, finder: PictureFinder) -> Path | None:
    candidates = [Path(named.replace("\\", "/")).name] if named else []
    candidates += [f"{path.stem}{suffix}" for suffix in _suffixes()]
    return next((found for name in candidates if (found := finder.find(name, path.parent))), None)


def _suffixes() -> Iterator[str]:
    for suffix in (".jpg", ".jpeg", ".png", ".bmp", ".webp"):
        yield suffix
        yield suffix.upper()


def _size(path: Path, size: ET.Element) -> tuple[int, int] | None:
    """Width and height; some tools write 0 for what they do not know."""
    width, height = (_number(f"{path}, size", size, key) for key in ("width", "height"))
    return (int(width), int(height)) if width and height else None


def _corners(where: str, thing: ET.Element) -> tuple[float, float, float, float]:
    box = thing.find("bndbox")
    if box is None:
        raise DatasetError(f"{where} has no <bndbox>")
    x1, y1, x2, y2 = (_number(where, box, key) for key in _CORNERS)
    return x1, y1, x2, y2


def _number(where: str, element: ET.Element, key: str) -> float:
    text = (element.findtext(key) or "").strip()
    try:
        return float(text)
    except ValueError as error:
        raise DatasetError(f"{where}: <{key}> is '{text}', which is no number") from error
