"""Labelled pictures: folders by class for classifiers, COCO JSON or Pascal VOC XML for detectors.

::

    evaluation/                            evaluation/               evaluation/
        daisy/*.jpg                            images/*.jpg              images/*.jpg
        tulip/near/*.png                       instances.json            annotations/*.xml
        background/*.jpg   none of the labels
        labels.csv         optional, several labels

Which form a folder has is seen from what is in it. Every picture is decoded once before any work
starts, and every one that is damaged is named at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_sdk.console.progress import Progress, SilentProgress
from edge_sdk.contract.manifest import Label
from edge_sdk.errors import DatasetError, InputError
from edge_sdk.image.picture_file import is_picture, read_picture

from .annotated_boxes import Annotated, PictureFinder, refuse_shares
from .coco_json import find_coco_files, read_coco
from .label_names import LabelNames
from .labelled_set import refuse_contradictions
from .nouns import PICTURES
from .picture_set import Picture, PictureSet, TrueBox
from .sample_files import (
    check_folder,
    digest_file,
    files_below,
    listed,
    name_below,
    read_by_class,
    read_each,
    sample_paths,
)
from .voc_xml import find_voc_files, read_voc

__all__ = ["read_boxes", "read_pictures", "read_unlabelled"]

_OUTSIDE_PX = 2.0
"""Annotations may stick out of the picture by rounding, not more."""


def read_pictures(
    root: Path, labels: Sequence[Label], *, progress: Progress | None = None, what: str = "pictures"
) -> PictureSet:
    """Read pictures in folders by class.

    Args:
        root: The folder.
        labels: The model's labels.
        progress: Told how far it is.
        what: What to call the pictures there.

    Raises:
        UsageError, DatasetError: See :func:`.sample_files.read_by_class`.
        MissingExtraError: Pillow is not installed.
    """
    ids = tuple(label.id for label in labels)

    def read(path: Path, found: frozenset[str]) -> Picture:
        return _picture(root, path, *_size(path), found)

    told = progress or SilentProgress()
    return PictureSet(root, ids, read_by_class(root, ids, read, told, what, PICTURES))


def read_boxes(
    root: Path, labels: Sequence[Label], *, progress: Progress | None = None, what: str = "pictures"
) -> PictureSet:
    """Read pictures with boxes, from COCO JSON or Pascal VOC XML below a folder.

    Args:
        root: The folder.
        labels: The model's labels, which categories are mapped to by name.
        progress: Told how far it is.
        what: What to call the pictures there.

    Raises:
        UsageError: There is no such folder.
        DatasetError: It holds annotations of neither form, of both, or damaged ones; a category is no
            label; boxes are shares of the picture; or pictures are missing or cannot be used: all of
            them are named.
        MissingExtraError: Pillow is not installed.
    """
    check_folder(root)
    paths = [path for path in sample_paths(root) if is_picture(path)]
    annotated = {picture.path: picture for picture in _annotations(root, labels, paths)}
    refuse_shares(root, annotated.values())

    def read(path: Path) -> Picture:
        height, width = _size(path)
        _check_size(annotated[path], height, width)
        boxes = tuple(annotated[path].boxes)
        counted = frozenset(box.label_id for box in boxes if not box.passed)
        return _picture(root, path, height, width, counted, boxes)

    pictures = read_each(root, sorted(annotated), read, progress or SilentProgress(), what, PICTURES)
    refuse_contradictions(root, pictures, PICTURES, "keep one")
    unlisted = tuple(name_below(root, path) for path in paths if path not in annotated)
    without_area = sum(picture.without_area for picture in annotated.values())
    return PictureSet(root, tuple(label.id for label in labels), tuple(pictures), unlisted, without_area)


def read_unlabelled(
    root: Path, labels: Sequence[Label], *, progress: Progress | None = None, what: str = "pictures"
) -> PictureSet:
    """Read all pictures below a folder, whatever is in them: enough to calibrate a detector.

    Raises:
        UsageError: There is no such folder.
        DatasetError: It holds no pictures, or some that cannot be used: all of them are named.
        MissingExtraError: Pillow is not installed.
    """
    check_folder(root)
    paths = list(sample_paths(root))
    if not paths:
        raise DatasetError(f"{root} holds no pictures", hint=f"put {PICTURES.files} files into it")

    def read(path: Path) -> Picture:
        return _picture(root, path, *_size(path), frozenset())

    pictures = read_each(root, paths, read, progress or SilentProgress(), what, PICTURES)
    return PictureSet(root, tuple(label.id for label in labels), tuple(pictures))


def _size(path: Path) -> tuple[int, int]:
    """Height and width of a picture that can be decoded, upright."""
    height, width, _ = read_picture(path).shape
    return height, width


def _picture(
    root: Path,
    path: Path,
    height: int,
    width: int,
    labels: frozenset[str],
    boxes: tuple[TrueBox, ...] = (),
) -> Picture:
    return Picture(name_below(root, path), path, labels, digest_file(path), height, width, boxes)


def _annotations(root: Path, labels: Sequence[Label], pictures: list[Path]) -> list[Annotated]:
    names, finder = LabelNames(labels), PictureFinder(root, pictures)
    files = list(files_below(root))
    (coco, unreadable), voc = find_coco_files(files), find_voc_files(files)
    if len(coco) == 1 and not voc:
        return read_coco(coco[0], names, finder)
    if voc and not coco:
        return _all_voc(root, voc, names, finder)
    if not coco and unreadable:
        raise unreadable[0]
    if not coco:
        raise DatasetError(
            f"{root} holds no boxes: neither COCO JSON nor Pascal VOC XML",
            hint="a detector is judged on boxes: instances.json, or one .xml a picture",
        )
    both = [str(path.relative_to(root)) for path in (*coco, *voc)]
    raise DatasetError(
        f"{root} has boxes in {len(both)} files of which one form is needed: {', '.join(both[:5])}",
        hint="keep one COCO JSON, or Pascal VOC XML alone",
    )


def _all_voc(root: Path, paths: list[Path], names: LabelNames, finder: PictureFinder) -> list[Annotated]:
    found: dict[Path, Annotated] = {}
    faults: list[InputError] = []
    for path in paths:
        picture = _try_voc(path, names, finder)
        if isinstance(picture, InputError):
            faults.append(picture)
        elif picture.path in found:
            faults.append(DatasetError(f"{path} and {found[picture.path].where} are of the same picture"))
        else:
            found[picture.path] = picture
    if faults:
        raise DatasetError(
            f"{len(faults)} of {len(paths)} annotations in {root} cannot be used:"
            f"\n  {listed([fault.message for fault in faults])}",
            hint=next((fault.hint for fault in faults if fault.hint), None),
        )
    return list(found.values())


def _try_voc(path: Path, names: LabelNames, finder: PictureFinder) -> Annotated | InputError:
    try:
        return read_voc(path, names, finder)
    except InputError as error:
        return error


def _check_size(annotated: Annotated, height: int, width: int) -> None:
    """Boxes of a picture of another size, or of one that lies on its side, would all be wrong."""
    if annotated.size not in (None, (width, height)):
        said = "x".join(map(str, annotated.size or ()))
        raise DatasetError(
            f"{annotated.path} is {width}x{height} (upright), but {annotated.where} is of {said}"
        )
    for box in annotated.boxes:
        x1, y1, x2, y2 = box.box
        if x1 < -_OUTSIDE_PX or y1 < -_OUTSIDE_PX or x2 > width + _OUTSIDE_PX or y2 > height + _OUTSIDE_PX:
            corners = [round(number, 1) for number in box.box]
            raise DatasetError(
                f"{annotated.path} is {width}x{height}, and box {corners} lies outside ({annotated.where})"
            )
