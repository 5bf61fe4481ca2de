"""Average precision of boxes by COCO's rules, computed by ``pycocotools``, its reference implementation.

At most 100 boxes of a label in a picture, 101 recall levels, the mean over labels that have a true box.
Crowds are matched as COCO does; of PASCAL VOC's difficult things, one box each is passed over.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.contract.values import Detections
from edge_sdk.errors import MissingExtraError

from ..data.picture_set import PictureSet, TrueBox
from .resampled_precision import FloatArray, LabelOutcomes, resample

__all__ = ["AveragePrecision", "average_precision", "drawn_precision"]

_OVERLAPS = 10
_OUT_OF_RANGE = -1.0
"""As an area it is outside every range that COCO looks at, so that the box is passed over."""


@dataclass(frozen=True)
class AveragePrecision:
    """How well boxes are found.

    Attributes:
        map50: Mean over labels where an overlap of half is enough; NaN without a true box that counts.
        map50_95: Mean over labels and over ten overlaps from .50 to .95; likewise.
        by_label: The two for each label with a true box.
        outcomes: What the first rests on, for each of these labels.
    """

    map50: float
    map50_95: float
    by_label: dict[str, tuple[float, float]]
    outcomes: dict[str, LabelOutcomes]


def average_precision(pictures: PictureSet, found: Sequence[Detections]) -> AveragePrecision:
    """Hold boxes against true ones.

    Args:
        pictures: With their true boxes.
        found: What was found in each, in the same order.

    Raises:
        MissingExtraError: pycocotools is not installed.
    """
    numbers = _numbers(pictures)
    evaluation = _evaluation(pictures, found)
    # Overlaps, recalls, labels; -1 where there is no true box.
    precision = evaluation.eval["precision"][:, :, :, 0, 0]
    by_label = {
        label_id: (float(own[0].mean()), float(own.mean()))
        for label_id, number in numbers.items()
        if (own := precision[:, :, number - 1]).min() >= 0
    }
    figures = np.array(list(by_label.values())).reshape(-1, 2)
    means = figures.mean(axis=0) if len(figures) else np.full(2, np.nan)
    outcomes = {
        label_id: _outcomes(evaluation.evalImgs, number - 1, len(pictures.samples))
        for label_id, number in numbers.items()
        if label_id in by_label
    }
    return AveragePrecision(float(means[0]), float(means[1]), by_label, outcomes)


def drawn_precision(pictures: PictureSet, found: Sequence[Detections]) -> dict[str, FloatArray]:
    """``mAP50`` and ``mAP50-95`` of each set that is drawn from the pictures again; takes seconds.

    Args:
        pictures: With their true boxes.
        found: What was found in each, in the same order.
    """
    matched = _evaluation(pictures, found).evalImgs
    numbers, n = _numbers(pictures), len(pictures.samples)
    drawn = [
        resample(
            {label_id: _outcomes(matched, number - 1, n, overlap) for label_id, number in numbers.items()}
        ).mean()
        for overlap in range(_OVERLAPS)
    ]
    return {"mAP50": drawn[0], "mAP50-95": np.mean(drawn, axis=0)}


def _numbers(pictures: PictureSet) -> dict[str, int]:
    return {label_id: number for number, label_id in enumerate(pictures.label_ids, 1)}


def _evaluation(pictures: PictureSet, found: Sequence[Detections]) -> Any:
    numbers = _numbers(pictures)
    true = [
        _annotation(index, numbers[box.label_id], box)
        for index, picture in enumerate(pictures.samples, 1)
        for box in picture.boxes
    ]
    given = [row for index, boxes in enumerate(found, 1) for row in _results(index, boxes)]
    return _evaluated(len(pictures.samples), len(pictures.label_ids), true, given)


def _annotation(image: int, category: int, box: TrueBox) -> dict[str, Any]:
    x1, y1, x2, y2 = box.box
    area = _OUT_OF_RANGE if box.passed == "difficult" else (x2 - x1) * (y2 - y1)
    return {
        "image_id": image,
        "category_id": category,
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": area,
        "iscrowd": int(box.passed == "crowd"),
    }


def _results(image: int, found: Detections) -> Iterator[dict[str, Any]]:
    for box, score, label in zip(
        found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True
    ):
        x1, y1, x2, y2 = box
        width, height = x2 - x1, y2 - y1
        yield {
            "image_id": image,
            "category_id": label + 1,
            "bbox": [x1, y1, width, height],
            "area": width * height,
            "score": score,
            "iscrowd": 0,
        }


def _evaluated(n_images: int, n_labels: int, true: list[dict[str, Any]], given: list[dict[str, Any]]) -> Any:
    """A ``COCOeval`` that is done, for boxes of any size, 100 of a label in a picture."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise MissingExtraError("pycocotools", "convert") from error
    with contextlib.redirect_stdout(io.StringIO()):  # it prints how long each step took
        sets = [_indexed(COCO(), n_images, n_labels, boxes) for boxes in (true, given)]
        evaluation = COCOeval(*sets, iouType="bbox")
        evaluation.params.areaRng = [evaluation.params.areaRng[0]]
        evaluation.params.areaRngLbl = ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def _outcomes(
    matched: Sequence[dict[str, Any] | None], label: int, n_images: int, overlap: int = 0
) -> LabelOutcomes:
    """What was decided about the boxes of one label at one of ten overlaps: the first is half."""
    pictures, scores, right = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros(0, np.bool_)]
    true_boxes = np.zeros(n_images, dtype=np.int64)
    for index, one in enumerate(matched[label * n_images : (label + 1) * n_images]):
        if one is not None:
            counts = ~one["dtIgnore"][overlap].astype(np.bool_)
            true_boxes[index] = np.count_nonzero(one["gtIgnore"] == 0)
            pictures.append(np.full(int(counts.sum()), index, dtype=np.int64))
            scores.append(np.array(one["dtScores"])[counts])
            right.append(one["dtMatches"][overlap][counts] > 0)
    order = np.argsort(-np.concatenate(scores), kind="stable")
    return LabelOutcomes(np.concatenate(pictures)[order], np.concatenate(right)[order], true_boxes)


def _indexed(coco: Any, n_images: int, n_labels: int, boxes: list[dict[str, Any]]) -> Any:
    coco.dataset = {
        "images": [{"id": number} for number in range(1, n_images + 1)],
        "categories": [{"id": number} for number in range(1, n_labels + 1)],
        "annotations": [{"id": number, **box} for number, box in enumerate(boxes, 1)],
    }
    coco.createIndex()
    return coco
