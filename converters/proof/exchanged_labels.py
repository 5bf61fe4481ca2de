"""Are things found, and called by another's name? Then labels are not in the order of the model's classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_sdk.contract.values import Detections

from ..data.picture_set import PictureSet
from ..data.shortlist import shortlist
from .box_counts import confused_boxes

__all__ = ["Exchanged", "exchanged_labels"]

_FEWEST = 3


@dataclass(frozen=True)
class Exchanged:
    """Labels that stand for others.

    Attributes:
        label_ids: The model's, as the spec has them.
        meant: By label as the spec has it: the one that it is. Numbers.
        counts: Of the boxes called by that name, those that are so, and all that are over a true box.
    """

    label_ids: tuple[str, ...]
    meant: Mapping[int, int]
    counts: Mapping[int, tuple[int, int]]

    def relabelled(self, found: Sequence[Detections]) -> list[Detections]:
        """The same boxes by the names that they should have."""
        names = np.arange(len(self.label_ids))
        names[list(self.meant)] = list(self.meant.values())
        return [Detections(boxes.boxes, boxes.scores, names[boxes.labels]) for boxes in found]

    def told(self) -> str:
        """What is called by which name."""
        ids = self.label_ids
        pairs = [
            f"what it calls '{ids[called]}' is '{ids[label]}' ({self.counts[called][0]} of "
            f"{self.counts[called][1]} boxes)"
            for called, label in self.meant.items()
        ]
        return f"labels are not in the model's order: {shortlist(pairs)}"

    def hint(self) -> str:
        """What to do about it."""
        moves = {label - called for called, label in self.meant.items()}
        if len(self.meant) > 1 and len(moves) == 1:
            by = moves.pop()
            return (
                f"all these are moved by {by:+d}: is a background counted as a label, or a label missing? "
                "see background, first_class and the classes' start under [detector]"
            )
        return "list the labels in the order of the model's classes"


def exchanged_labels(pictures: PictureSet, found: Sequence[Detections]) -> Exchanged | None:
    """Labels most of whose boxes are over things of one other label, which is mostly called so.

    Args:
        pictures: With their true boxes.
        found: What was found in each, in the same order.
    """
    confused = confused_boxes(pictures, found)
    meant: dict[int, int] = {}
    counts: dict[int, tuple[int, int]] = {}
    for called in range(len(pictures.label_ids)):
        label = int(confused[:, called].argmax())
        n = int(confused[label, called])
        mostly = 2 * n > confused[:, called].sum() and 2 * n > confused[label].sum()
        if label != called and n >= _FEWEST and mostly:
            meant[called] = label
            counts[called] = n, int(confused[:, called].sum())
    return Exchanged(pictures.label_ids, meant, counts) if meant else None
