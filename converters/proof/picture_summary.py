"""What figures of pictures rest on."""

from __future__ import annotations

from collections import Counter

from ..data.picture_set import PictureSet
from ..report.report_file import PictureSummary

__all__ = ["picture_summary"]


def picture_summary(pictures: PictureSet) -> PictureSummary:
    """Count pictures and boxes, by label and without any."""
    counts = dict(zip(pictures.label_ids, pictures.truth.sum(axis=0).tolist(), strict=True))
    boxes = [box for picture in pictures.samples for box in picture.boxes]
    counted = Counter(box.label_id for box in boxes if not box.passed)
    return PictureSummary(
        pictures=len(pictures.samples),
        pictures_by_label={label_id: n for label_id, n in counts.items() if n},
        background_pictures=int((~pictures.truth.any(axis=1)).sum()),
        labels_without_pictures=[label_id for label_id, n in counts.items() if not n],
        boxes_by_label={label_id: counted[label_id] for label_id in counts if counted[label_id]},
        boxes_passed_over=sum(bool(box.passed) for box in boxes),
        pictures_without_annotation=len(pictures.unlisted),
    )
