"""What decoders leave out is known to whoever asks."""

from __future__ import annotations

import numpy as np

from edge_sdk.decode.raw_detections import RawDetections, keeping_left_out, without_empty_boxes


def boxes(*corners: tuple[float, float, float, float]) -> RawDetections:
    n = len(corners)
    return RawDetections(np.array(corners, np.float32), np.full(n, 0.5, np.float32), np.zeros(n, np.int64))


def test_boxes_without_area_are_left_out_and_kept_for_who_asks() -> None:
    found = boxes((0, 0, 2, 2), (3, 0, 1, 2), (0, 0, 2, 0))
    with keeping_left_out() as left_out:
        solid = without_empty_boxes(found)
    assert solid.boxes.tolist() == [[0, 0, 2, 2]]
    assert [part.boxes.tolist() for part in left_out] == [[[3, 0, 1, 2], [0, 0, 2, 0]]]


def test_nothing_is_kept_once_nobody_asks() -> None:
    with keeping_left_out() as left_out:
        pass
    assert len(without_empty_boxes(boxes((3, 0, 1, 2))).boxes) == 0
    assert left_out == []
