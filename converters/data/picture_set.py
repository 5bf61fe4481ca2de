"""Pictures with what is in them: labels of the whole picture, or boxes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from edge_sdk.contract.values import Box

from .labelled_set import LabelledSet

__all__ = ["Passed", "Picture", "PictureSet", "TrueBox"]

Passed: TypeAlias = Literal["", "crowd", "difficult"]
"""Why a box is passed over: neither finding it nor missing it counts. Empty where it counts."""


@dataclass(frozen=True, slots=True)
class TrueBox:
    """One thing in a picture, as somebody marked it.

    Attributes:
        label_id: What it is.
        box: Where, in pixels of the upright picture.
        passed: ``crowd``: a group of things, in which any number of boxes may lie (COCO's
            ``iscrowd``). ``difficult``: PASCAL VOC's mark for what people can hardly tell either.
    """

    label_id: str
    box: Box
    passed: Passed = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes:
        name: Its path below the data set's folder, with forward slashes.
        path: The file.
        labels: Ids of what is in it; empty for background. Of boxes, those that count.
        sha256: Digest of the file.
        height, width: Of the upright picture, in pixels.
        boxes: What was marked in it, where a set has boxes.
    """

    name: str
    path: Path
    labels: frozenset[str]
    sha256: str
    height: int
    width: int
    boxes: tuple[TrueBox, ...] = ()

    @property
    def truth_text(self) -> str:
        """See :class:`.labelled_set.Sample`."""
        labels = ";".join(sorted(self.labels))
        boxes = sorted(f"{box.label_id}{list(box.box)}{box.passed}" for box in self.boxes)
        return "".join([labels, *boxes])


@dataclass(frozen=True)
class PictureSet(LabelledSet[Picture]):
    """Pictures in the order of their names.

    Attributes:
        unlisted: Names of pictures in the folder of which no annotation tells, where there are
            annotations. What is in them is not known, so they are no part of the set.
        boxes_without_area: How many marks were passed over, because nothing can be found in them.
    """

    unlisted: tuple[str, ...] = ()
    boxes_without_area: int = 0
