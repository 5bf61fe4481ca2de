"""Photos are held against what is known of them, and a clip against where its face is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from edge_sdk.contract.values import Box
from edge_sdk.demo.picture_sets import FACE_AREA, KNOWN_PHOTOS
from edge_sdk.demo.picture_verdict import PictureVerdict, SeenClip, judge_clip, judge_photos
from edge_sdk.errors import EdgeSdkError

FACE: Box = (60.0, 45.0, 110.0, 95.0)
ELSEWHERE: Box = (0.0, 0.0, 40.0, 40.0)
FOUND = SeenClip(frames=10, with_face=9, elsewhere=0)


def printed(**frames: Sequence[Mapping[str, Any]]) -> bytes:
    """As ``predict --json`` prints it, with more in it than is read."""
    files = [{"file": f"/photos/{name}", "error": None, "frames": told} for name, told in frames.items()]
    return json.dumps({"bundle": {}, "files": files}).encode()


def photo(scores: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"index": 0, "scores": scores, "boxes": []}]


def clip(*frames: Sequence[Box]) -> bytes:
    boxes = [[{"label": "face", "score": 0.9, "box": box} for box in frame] for frame in frames]
    return printed(**{"clip.mp4": [{"scores": {}, "boxes": found} for found in boxes]})


def answers(**wrong: str) -> bytes:
    """A right answer to each photo, but for those that are named without their suffix."""
    best = {known.name: wrong.get(known.name.split(".")[0], known.answers[-1]) for known in KNOWN_PHOTOS}
    return printed(**{name: photo({"bubble": 0.2, label: 0.7, "maze": 0.1}) for name, label in best.items()})


def test_the_best_answer_counts_and_any_near_relative_is_right() -> None:
    seen = judge_photos(answers(), KNOWN_PHOTOS)
    assert [photo.name for photo in seen] == [known.name for known in KNOWN_PHOTOS]
    assert seen[0].best == (("egyptian_cat", 0.7), ("bubble", 0.2), ("maze", 0.1))
    assert PictureVerdict(seen, FOUND).passed


def test_one_wrong_answer_fails_and_the_table_says_which() -> None:
    verdict = PictureVerdict(judge_photos(answers(rocket="maze"), KNOWN_PHOTOS), FOUND)
    assert not verdict.passed
    (line,) = (line for line in verdict.table().splitlines() if "WRONG" in line)
    assert line.startswith("rocket.jpg")


def test_a_photo_that_nothing_was_told_of_is_an_error() -> None:
    with pytest.raises(EdgeSdkError, match=r"nothing of coffee\.png"):
        judge_photos(printed(**{"chelsea.png": photo({"tabby": 1.0})}), KNOWN_PHOTOS[:2])


def test_frames_count_where_a_box_is_on_the_face() -> None:
    seen = judge_clip(clip([FACE], [], [ELSEWHERE], [FACE, ELSEWHERE]), FACE_AREA)
    assert seen == SeenClip(frames=4, with_face=2, elsewhere=2)


@pytest.mark.parametrize(("with_face", "frames", "passed"), [(9, 10, True), (8, 10, False), (0, 0, False)])
def test_the_face_may_be_lost_in_a_tenth_of_the_frames(with_face: int, frames: int, *, passed: bool) -> None:
    verdict = PictureVerdict(judge_photos(answers(), KNOWN_PHOTOS), SeenClip(frames, with_face, 0))
    assert verdict.passed is passed


def test_something_else_than_a_report_is_an_error() -> None:
    with pytest.raises(EdgeSdkError, match="something else than its report"):
        judge_clip(b"Traceback", FACE_AREA)
