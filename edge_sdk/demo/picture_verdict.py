"""What was to be seen in pictures against what was seen, out of what ``edge-sdk predict --json`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from ..console.table import text_table
from ..contract.values import Box
from ..errors import EdgeSdkError
from .picture_sets import KnownPhoto

__all__ = ["PictureVerdict", "SeenClip", "SeenPhoto", "judge_clip", "judge_photos"]

TOP = 3
_ENOUGH_FRAMES = 0.9


class _Found(Struct):
    score: float
    box: Box


class _Frame(Struct):
    scores: dict[str, float]
    boxes: list[_Found]


class _File(Struct):
    file: str
    frames: list[_Frame]


class _Printed(Struct):
    files: list[_File]


@dataclass(frozen=True, slots=True)
class SeenPhoto:
    """One photo.

    Attributes:
        name: Of its file.
        contents: What is to be seen in it.
        best: The labels with the highest scores, the best first.
        right: Whether the best one names what is to be seen.
    """

    name: str
    contents: str
    best: tuple[tuple[str, float], ...]
    right: bool


@dataclass(frozen=True, slots=True)
class SeenClip:
    """One clip with one face.

    Attributes:
        frames: How many it has.
        with_face: ... in how many of them a box is where the face is.
        elsewhere: Boxes where no face is, in all frames together.
    """

    frames: int
    with_face: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class PictureVerdict:
    """The outcome for photos and clip."""

    photos: tuple[SeenPhoto, ...]
    clip: SeenClip

    @property
    def passed(self) -> bool:
        """True when every photo was answered right and the face was lost in few frames only."""
        found = self.clip.frames > 0 and self.clip.with_face >= _ENOUGH_FRAMES * self.clip.frames
        return found and all(photo.right for photo in self.photos)

    def table(self) -> str:
        """The photos, for people."""
        rows = [
            [
                photo.name,
                photo.contents,
                ", ".join(f"{label_id} {score:.2f}" for label_id, score in photo.best),
                "right" if photo.right else "WRONG",
            ]
            for photo in self.photos
        ]
        return text_table(["photo", "shows", f"the {TOP} best answers", "the best is"], rows)


def judge_photos(printed: bytes, known: Sequence[KnownPhoto]) -> tuple[SeenPhoto, ...]:
    """Hold a classifier's answers against what is known.

    Args:
        printed: Of ``predict --json``.
        known: The photos that it was given.

    Raises:
        EdgeSdkError: A photo is not in it.
    """
    scores = {Path(file.file).name: frame.scores for file in _decode(printed).files for frame in file.frames}
    if missing := [photo.name for photo in known if not scores.get(photo.name)]:
        raise EdgeSdkError(f"'edge-sdk predict' told nothing of {', '.join(missing)}")
    return tuple(_seen(photo, scores[photo.name]) for photo in known)


def judge_clip(printed: bytes, area: Box) -> SeenClip:
    """Count the frames in which the face was found.

    Args:
        printed: Of ``predict --json`` for one clip.
        area: Where the middle of the face is, in pixels.
    """
    frames = [frame for file in _decode(printed).files for frame in file.frames]
    inside = [[_middle_is_in(area, found.box) for found in frame.boxes] for frame in frames]
    return SeenClip(
        frames=len(frames),
        with_face=sum(any(boxes) for boxes in inside),
        elsewhere=sum(not box for boxes in inside for box in boxes),
    )


def _decode(printed: bytes) -> _Printed:
    try:
        return msgspec.json.decode(printed, type=_Printed)
    except msgspec.DecodeError as error:
        raise EdgeSdkError(f"'edge-sdk predict' printed something else than its report: {error}") from error


def _seen(photo: KnownPhoto, scores: dict[str, float]) -> SeenPhoto:
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    return SeenPhoto(photo.name, photo.contents, tuple(ranked[:TOP]), ranked[0][0] in photo.answers)


def _middle_is_in(area: Box, box: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return area[0] <= x <= area[2] and area[1] <= y <= area[3]
