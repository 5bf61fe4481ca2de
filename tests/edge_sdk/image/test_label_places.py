"""No label is put on another one as long as there is room at its box."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.image.label_places import LabelPlaces, Rectangle

WIDTH, HEIGHT, LINE = 320, 240, 12
LENGTH = 60


def box(left: int, top: int, width: int, height: int) -> Rectangle:
    return Rectangle(left, top, left + width, top + height)


BOXES = st.builds(box, st.integers(0, 300), st.integers(0, 220), st.integers(1, 320), st.integers(1, 240))


def test_one_label_stands_above_its_box() -> None:
    places = LabelPlaces(WIDTH, HEIGHT)
    assert places.take(box(50, 60, 100, 100), LENGTH, LINE) == box(50, 48, LENGTH, LINE)
    assert places.take(box(200, 5, 100, 100), LENGTH, LINE) == box(200, 5, LENGTH, LINE)


def test_the_second_of_two_boxes_in_one_place_is_told_elsewhere_at_its_box() -> None:
    places = LabelPlaces(WIDTH, HEIGHT)
    first, second = (places.take(box(50, 60, 100, 100), LENGTH, LINE) for _ in range(2))
    assert not first.overlaps(second)
    assert box(50, 48, 100, 124).overlaps(second)


def test_there_is_room_for_sixteen_labels_of_one_box() -> None:
    places = LabelPlaces(WIDTH, HEIGHT)
    taken = [places.take(box(50, 110, 140, 40), LENGTH, LINE) for _ in range(16)]
    assert not any(first.overlaps(second) for first, second in itertools.combinations(taken, 2))


@given(st.lists(BOXES, max_size=30))
def test_every_label_is_in_the_picture_sideways_and_begins_in_it(boxes: list[Rectangle]) -> None:
    places = LabelPlaces(WIDTH, HEIGHT)
    for one in boxes:
        place = places.take(one, LENGTH, LINE)
        assert 0 <= place.left <= WIDTH - LENGTH
        assert 0 <= place.top < HEIGHT
        assert (place.right - place.left, place.bottom - place.top) == (LENGTH, LINE)
