"""COCO JSON: the instances file of `cocodataset.org <https://cocodataset.org/#format-data>`_.

Read are ``images`` (id, file_name, width, height), ``categories`` (id, name) and ``annotations``
(image_id, category_id, bbox as x, y, width, height, iscrowd). Segmentations and the rest are passed over.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from edge_sdk.errors import DatasetError

from .annotated_boxes import Annotated, PictureFinder, sound_box
from .label_names import LabelNames
from .sample_files import listed

__all__ = ["find_coco_files", "read_coco"]


class _Image(Struct):
    id: int
    file_name: str
    width: int | None = None
    height: int | None = None


class _Category(Struct):
    id: int
    name: str


class _Annotation(Struct):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0


class _Instances(Struct):
    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation]


class _Outline(Struct):
    images: msgspec.Raw = msgspec.Raw()
    categories: msgspec.Raw = msgspec.Raw()
    annotations: msgspec.Raw = msgspec.Raw()


def find_coco_files(files: Iterable[Path]) -> tuple[list[Path], list[DatasetError]]:
    """Those that have the three lists of COCO JSON, and what is wrong with JSON that cannot be read.

    The latter is nobody's concern where boxes are found: training tools leave logs that are no JSON.
    """
    found: list[Path] = []
    faults: list[DatasetError] = []
    for path in files:
        judged = path.suffix.lower() == ".json" and _try_outline(path)
        if isinstance(judged, DatasetError):
            faults.append(judged)
        elif judged:
            found.append(path)
    return found, faults


def read_coco(path: Path, names: LabelNames, finder: PictureFinder) -> list[Annotated]:
    """Read the pictures and boxes of one file.

    Args:
        path: The JSON.
        names: Finds the model's labels by the names of categories.
        finder: Finds pictures.

    Raises:
        DatasetError: It is not of that form, a category that is used is no label of the model, or
            pictures are missing: all of them are named, up to 20.
    """
    instances = _decode(path)
    pictures = _pictures(path, instances.images, finder)
    labels = _labels(path, instances, names)
    for number, annotation in enumerate(instances.annotations):
        where = f"{path.name}, annotation {number}"
        picture = pictures.get(annotation.image_id)
        if picture is None:
            raise DatasetError(f"{where}: there is no image {annotation.image_id} in {path}")
        x, y, width, height = annotation.bbox
        box = sound_box(where, (x, y, x + width, y + height))
        picture.mark(labels[annotation.category_id], box, "crowd" if annotation.iscrowd else "")
    return list(pictures.values())


def _try_outline(path: Path) -> bool | DatasetError:
    try:
        return _has_outline(path)
    except DatasetError as error:
        return error


def _has_outline(path: Path) -> bool:
    try:
        outline = msgspec.json.decode(_content(path), type=_Outline)
    except msgspec.ValidationError:
        return False
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(
            f"{path} is damaged: {error}", hint="copy it again; or take it away, if no box is annotated in it"
        ) from error
    return all(bytes(part) for part in (outline.images, outline.categories, outline.annotations))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes().removeprefix(BOM_UTF8)
    except OSError as error:
        raise DatasetError(f"{path} cannot be opened: {error.strerror}") from error


def _decode(path: Path) -> _Instances:
    try:
        return msgspec.json.decode(_content(path), type=_Instances, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(f"{path} is no COCO JSON of boxes: {error}") from error


def _pictures(path: Path, images: list[_Image], finder: PictureFinder) -> dict[int, Annotated]:
    pictures: dict[int, Annotated] = {}
    named: dict[Path, str] = {}
    missing: list[str] = []
    for image in images:
        found = finder.find(image.file_name, path.parent)
        if image.id in pictures:
            raise DatasetError(f"{path}: image id {image.id} appears twice")
        if found is None:
            missing.append(finder.describe_missing(image.file_name))
            continue
        if found in named:  # the boxes of one of them would be lost
            raise DatasetError(f"{path}: '{named[found]}' and '{image.file_name}' are the same file: {found}")
        named[found] = image.file_name
        size = None if image.width is None or image.height is None else (image.width, image.height)
        pictures[image.id] = Annotated(found, f"{path.name}, image {image.id}", size)
    if missing:
        raise DatasetError(
            f"{len(missing)} of {len(images)} pictures that {path} names are not there:\n  {listed(missing)}",
            hint=f"put them beside it, or below {path.parent} into folders of those names",
        )
    return pictures


def _labels(path: Path, instances: _Instances, names: LabelNames) -> dict[int, str]:
    """Labels by category id, for the categories that a box has."""
    known: dict[int, str] = {}
    for category in instances.categories:
        if known.get(category.id, category.name) != category.name:  # boxes of one would be the other's
            raise DatasetError(
                f"{path}: category id {category.id} appears twice, "
                f"for '{known[category.id]}' and for '{category.name}'",
                hint="give each category an id of its own, in the annotations too",
            )
        known[category.id] = category.name
    labels: dict[int, str] = {}
    for category_id in sorted({annotation.category_id for annotation in instances.annotations}):
        if category_id not in known:
            raise DatasetError(f"{path}: annotations are of category {category_id}, which is not listed")
        label_id = names.find(known[category_id])
        if label_id is None:
            raise DatasetError(
                f"category '{known[category_id]}' in {path} is no label of the model",
                hint=names.hint(known[category_id]),
            )
        labels[category_id] = label_id
    return labels
