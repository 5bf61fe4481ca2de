"""The interval of average precision: by COCO's rules on sets of pictures that are drawn anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.data.picture_set import Passed, Picture, PictureSet, TrueBox
from converters.proof.average_precision import average_precision
from converters.proof.resampled_precision import (
    DRAWS,
    LabelOutcomes,
    _average_precision,
    bootstrap_interval,
    lower_end,
    resample,
)
from edge_sdk.contract.values import Detections

LABELS = ("cat", "dog", "owl")
PASSED: tuple[Passed, ...] = ("", "", "", "", "crowd", "difficult")


def random_set(seed: int, n: int) -> tuple[PictureSet, list[Detections]]:
    """Pictures with up to four things, most of which are found, and false boxes."""
    random = np.random.default_rng(seed)
    samples, found = [], []
    for number in range(n):
        corners = random.uniform(0, 80, (random.integers(0, 5), 2))
        boxes = np.concatenate([corners, corners + 20], axis=1).astype(np.float32)
        labels = random.integers(0, 2, len(boxes))  # no owl
        true = tuple(
            TrueBox(LABELS[label], (a, b, c, d), PASSED[random.integers(len(PASSED))])
            for (a, b, c, d), label in zip(boxes.tolist(), labels, strict=True)
        )
        kept = random.random(len(boxes)) < 0.8
        false = random.uniform(0, 50, (random.integers(0, 3), 2)).astype(np.float32)
        seen = np.concatenate([boxes[kept] + random.normal(0, 3, (1, 4)), np.hstack([false, false + 15])])
        samples.append(Picture(f"{number}.png", Path("x"), frozenset(), f"{number:064x}", 100, 100, true))
        found.append(
            Detections(
                seen.astype(np.float32),
                random.random(len(seen)).astype(np.float32),
                np.concatenate([labels[kept], random.integers(0, 3, len(false))]),
            )
        )
    return PictureSet(Path("set"), LABELS, tuple(samples)), found


def one_box(picture: int, n: int) -> LabelOutcomes:
    true_boxes = np.zeros(n, dtype=np.int64)
    true_boxes[picture] = 1
    return LabelOutcomes(np.array([picture]), np.array([True]), true_boxes)


@given(seed=st.integers(0, 10_000), times=st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_pictures_that_count_several_times_give_what_coco_gives_for_so_many(
    seed: int, times: list[int]
) -> None:
    pictures, found = random_set(seed, len(times))
    repeated = [index for index, n in enumerate(times) for _ in range(n)]
    again = PictureSet(Path("set"), LABELS, tuple(pictures.samples[index] for index in repeated))
    wanted = average_precision(again, [found[index] for index in repeated]).by_label if repeated else {}
    outcomes = average_precision(pictures, found).outcomes
    weights = np.array([times], dtype=np.float64)
    got = {label_id: float(_average_precision(item, weights)[0]) for label_id, item in outcomes.items()}
    assert {label_id: ap for label_id, ap in got.items() if not np.isnan(ap)} == pytest.approx(
        {label_id: ap50 for label_id, (ap50, _) in wanted.items()}
    )


def test_the_same_answers_have_the_same_interval_around_the_figure() -> None:
    pictures, found = random_set(3, 60)
    precision = average_precision(pictures, found)
    first, again = (bootstrap_interval(precision.map50, resample(precision.outcomes).mean()) for _ in "ab")
    assert first is not None
    assert first == again
    assert 0 < first.low < precision.map50 < first.high < 1
    assert first.high - first.low < 0.5


def test_more_pictures_of_the_kind_make_it_narrower() -> None:
    widths = []
    for n in (20, 200):
        precision = average_precision(*random_set(5, n))
        between = bootstrap_interval(precision.map50, resample(precision.outcomes).mean())
        assert between is not None
        widths.append(between.high - between.low)
    assert widths[1] < widths[0] / 2


def test_where_every_picture_is_right_there_is_no_interval() -> None:
    drawn = resample({"cat": LabelOutcomes(np.arange(5), np.full(5, True), np.ones(5, dtype=np.int64))})
    assert drawn.mean().tolist() == [1.0] * DRAWS
    assert bootstrap_interval(1.0, drawn.mean()) is None


def test_a_label_that_no_drawn_set_shows_is_not_averaged() -> None:
    n = 6
    drawn = resample(
        {
            "cat": one_box(0, n),
            "dog": LabelOutcomes(np.zeros(0, np.int64), np.zeros(0, np.bool_), np.ones(n, np.int64)),
        }
    )
    there = ~np.isnan(drawn.by_label["cat"])
    assert 0.5 < there.mean() < 0.8  # 1 - (5/6)^6 is .665
    assert set(drawn.mean()[there]) == {0.5}
    assert set(drawn.mean()[~there]) == {0.0}
    assert lower_end(drawn.by_label["cat"]) == 1.0


def test_a_set_without_true_boxes_has_nothing_to_draw() -> None:
    empty = LabelOutcomes(np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(3, np.int64))
    assert len(resample({"cat": empty}).mean()) == 0
    assert bootstrap_interval(0.0, resample({}).mean()) is None
