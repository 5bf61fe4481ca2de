"""Other people's category names, found among the model's labels.

Data sets spell the same thing differently: PASCAL VOC's ``tvmonitor`` is COCO's ``tv``.
"""

from __future__ import annotations

from collections.abc import Sequence

from edge_sdk.contract.manifest import Label
from edge_sdk.contract.nearest_name import nearest_hint

from ..spec.label_file import label_id_of

__all__ = ["LabelNames"]

_SPELLINGS = (
    {"airplane", "aeroplane"},
    {"couch", "sofa"},
    {"dining_table", "diningtable"},
    {"hair_drier", "hair_dryer"},
    {"motorcycle", "motorbike"},
    {"potted_plant", "pottedplant"},
    {"tv", "tvmonitor", "tv_monitor"},
)
"""COCO's names and those of PASCAL VOC and Darknet for the same things."""


class LabelNames:
    """Finds label ids by the names that annotations use.

    Args:
        labels: The model's labels.
    """

    def __init__(self, labels: Sequence[Label]) -> None:
        self.label_ids = tuple(label.id for label in labels)
        names = [label_id_of(label.name) for label in labels]
        self._ids = {
            name: label.id for name, label in zip(names, labels, strict=True) if names.count(name) == 1
        }
        self._ids |= {label_id: label_id for label_id in self.label_ids}

    def find(self, name: str) -> str | None:
        """The label that is meant: by id, by display name, or by another spelling known for it.

        A display name that two labels share means neither.

        Case, blanks and punctuation do not count.
        """
        wanted = label_id_of(name)
        if name in self.label_ids:
            return name
        if wanted in self._ids:
            return self._ids[wanted]
        spellings = next((group for group in _SPELLINGS if wanted in group), set[str]())
        return next((self._ids[other] for other in sorted(spellings) if other in self._ids), None)

    def hint(self, name: str) -> str:
        """The nearest label, for an error about a name that is none."""
        return nearest_hint(label_id_of(name), self.label_ids)
