"""FastestDet fed and read as its authors do: ``handle_preds`` of their ``utils/tool.py``, as loops."""

from __future__ import annotations

import math

import cv2
import numpy as np
from slow_boxes import Found, centered, slow_nms, slow_sigmoid

from edge_sdk.contract.values import Array, Float32Array

SIDE = 352
CELLS = 22


def fed_by_authors(picture: Array) -> Float32Array:
    """The tensor ``[1, 3, 352, 352]`` of a picture in BGR, which they stretch."""
    stretched = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(stretched.transpose(2, 0, 1)[None] / np.float32(255), dtype=np.float32)


def decoded_by_authors(
    output: Array, width: float, height: float, *, least_score: float, iou_threshold: float
) -> list[Found]:
    """One box a cell, of its best class, in pixels of a picture of this size."""
    found = []
    for row, column in np.ndindex(CELLS, CELLS):
        objectness, tx, ty, tw, th, *classes = output[0, :, row, column].tolist()
        label = max(range(len(classes)), key=classes.__getitem__)
        score = objectness**0.6 * classes[label] ** 0.4
        if score >= least_score:
            x, y = (column + math.tanh(tx)) / CELLS, (row + math.tanh(ty)) / CELLS
            box = centered(width * x, height * y, width * slow_sigmoid(tw), height * slow_sigmoid(th))
            found.append(Found(box, score, label))
    return slow_nms(found, iou_threshold)
