"""Class-wise suppression of 2,000 boxes, against a plain NumPy loop and against OpenCV.

    python benchmarks/nms.py [--boxes N] [--rounds N] [--json]

A round suppresses the same boxes in each way, one after the other in turning order, and gives one
ratio to each; the table shows the median of the rounds' ratios, and median milliseconds. Before
anything is timed, what we keep is compared with what the loop keeps. The loop is torchvision's
``batched_nms`` in NumPy: boxes of different classes are moved apart, then the best is taken and all
that overlap it are dropped, until none is left. ``cv2.dnn.NMSBoxesBatched`` is given lists, which it
takes twice as fast as arrays; making them is not timed.

Boxes crowd around few things, as a detector with a low threshold gives them, or stand nearly alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy loads

import cv2
import numpy as np

from edge_sdk.contract.values import Array
from edge_sdk.decode.greedy import keep_best

IOU = 0.45
SIDE = 640
AIM_TO_LOOP, AIM_TO_OPENCV = 0.5, 1.0
CASES = [(things, classes) for things in (100, 1000) for classes in (1, 5, 20, 80)]


class Result(NamedTuple):
    """One line of the table."""

    boxes: int
    things: int
    classes: int
    kept: int
    ours_ms: float
    loop_ms: float
    opencv_ms: float
    ratio_to_loop: float
    ratio_to_opencv: float


def crowd(boxes: int, things: int, classes: int) -> tuple[Array, Array, Array]:
    """Corners, scores and labels of boxes around so many things; each thing is of one class."""
    rng = np.random.default_rng(0)
    low = rng.uniform(0, SIDE - 40, (things, 2))
    size = rng.uniform(20, 120, (things, 2))
    thing = rng.integers(0, things, boxes)
    corner = low[thing] + rng.normal(0, 4, (boxes, 2))
    extent = np.maximum(size[thing] + rng.normal(0, 4, (boxes, 2)), 4)
    corners = np.concatenate([corner, corner + extent], axis=1).astype(np.float32)
    scores = rng.uniform(0.05, 1, boxes).astype(np.float32)
    return corners, scores, rng.integers(0, classes, things)[thing]


def loop(boxes: Array, scores: Array, labels: Array) -> Array:
    """Take the best, drop what overlaps it, go on. In float64, or moving boxes apart would round them."""
    apart = boxes.astype(np.float64) + (labels * (boxes.max() - boxes.min() + 1.0))[:, None]
    x1, y1, x2, y2 = apart.T
    areas = (x2 - x1) * (y2 - y1)
    order = scores.argsort()[::-1]
    keep = []
    while order.size > 0:
        best, rest = order[0], order[1:]
        keep.append(best)
        width = np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest])
        height = np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest])
        inter = np.maximum(0.0, width) * np.maximum(0.0, height)
        order = rest[inter / (areas[best] + areas[rest] - inter) <= IOU]
    return np.array(keep)


def measure(boxes: int, things: int, classes: int, rounds: int) -> Result:
    """Time one case in all three ways."""
    corners, scores, labels = crowd(boxes, things, classes)
    kept = keep_best(corners, scores, IOU, labels)
    if not np.array_equal(kept, loop(corners, scores, labels)):
        raise SystemExit("the loop keeps other boxes")
    xywh = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1).tolist()
    score_list, label_list = scores.tolist(), labels.tolist()
    ways: list[Callable[[], object]] = [
        lambda: keep_best(corners, scores, IOU, labels),
        lambda: loop(corners, scores, labels),
        lambda: cv2.dnn.NMSBoxesBatched(xywh, score_list, label_list, 0.0, IOU),
    ]
    times = np.empty((rounds, len(ways)))
    for turn in range(-2, rounds):
        for offset in range(len(ways)):
            index = (turn + offset) % len(ways)
            began = time.perf_counter()
            ways[index]()
            times[max(turn, 0), index] = time.perf_counter() - began
    ours, by_loop, by_opencv = (list(column) for column in times.T)
    return Result(
        boxes,
        things,
        classes,
        len(kept),
        ours_ms=1e3 * statistics.median(ours),
        loop_ms=1e3 * statistics.median(by_loop),
        opencv_ms=1e3 * statistics.median(by_opencv),
        ratio_to_loop=statistics.median(a / b for a, b in zip(ours, by_loop, strict=True)),
        ratio_to_opencv=statistics.median(a / b for a, b in zip(ours, by_opencv, strict=True)),
    )


def _print_table(results: list[Result]) -> None:
    print(f"suppression by class, IoU {IOU}, one thread; NumPy {np.__version__}, OpenCV {cv2.__version__}")
    print(f"median ms; ratios of ours, aims: {AIM_TO_LOOP:.2f} to the loop, {AIM_TO_OPENCV:.2f} to OpenCV")
    print(" boxes  things  classes   kept     ours     loop   OpenCV  to loop  to OpenCV")
    for line in results:
        print(
            f"{line.boxes:6}  {line.things:6}  {line.classes:7}  {line.kept:5}  "
            f"{line.ours_ms:7.2f}  {line.loop_ms:7.2f}  {line.opencv_ms:7.2f}  "
            f"{line.ratio_to_loop:7.2f}  {line.ratio_to_opencv:9.2f}"
        )


def main() -> None:
    """Measure crowds and loose boxes, of one class and of many."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--boxes", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=60, help="rounds for each line of the table")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    results = [
        measure(max(1, arguments.boxes), things, classes, max(1, arguments.rounds))
        for things, classes in CASES
    ]
    if arguments.json:
        report = {
            "benchmark": "nms",
            "threads": 1,
            "numpy": np.__version__,
            "opencv": cv2.__version__,
            "iou_threshold": IOU,
            "rounds": max(1, arguments.rounds),
            "results": [line._asdict() for line in results],
        }
        json.dump(report, sys.stdout, indent=2)
        print()
    else:
        _print_table(results)


if __name__ == "__main__":
    main()
