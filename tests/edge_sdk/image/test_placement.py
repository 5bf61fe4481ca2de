"""Where a picture lands in a model's input, and the way back for boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Float32Array
from edge_sdk.image.placement import Placement, Rectangle, place

SIDES = st.integers(1, 3000)
INPUTS = st.builds(
    ImageInput,
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    resize=st.sampled_from(["stretch", "letterbox", "crop"]),
    crop_fraction=st.floats(0.05, 1.0),
    pad_anchor=st.sampled_from(["center", "top_left"]),
)


def corners(rectangle: Rectangle) -> list[float]:
    return [
        rectangle.x,
        rectangle.y,
        rectangle.x + rectangle.width,
        rectangle.y + rectangle.height,
    ]


def to_input(placement: Placement, boxes: Float32Array) -> Float32Array:
    """What resizing does to a place in the picture, written out by hand."""
    source, target = placement.source, placement.target
    moved = boxes.astype(np.float64)
    for axis, (s, s_length, t, t_length) in enumerate(
        [(source.x, source.width, target.x, target.width), (source.y, source.height, target.y, target.height)]
    ):
        moved[:, axis::2] = (moved[:, axis::2] - s) / s_length * t_length + t
    return moved.astype(np.float32)


@given(image=INPUTS, height=SIDES, width=SIDES)
def test_both_rectangles_lie_inside_and_are_not_empty(image: ImageInput, height: int, width: int) -> None:
    placement = place(image, height, width)
    for rectangle, (across, down) in (
        (placement.source, (width, height)),
        (placement.target, (image.width, image.height)),
    ):
        left, top, right, bottom = corners(rectangle)
        assert 0 <= left < right <= across
        assert 0 <= top < bottom <= down


@given(image=INPUTS, height=SIDES, width=SIDES)
def test_the_corners_come_back_to_the_corners(image: ImageInput, height: int, width: int) -> None:
    placement = place(image, height, width)
    back = placement.to_picture(np.array([corners(placement.target)], np.float32))
    assert back[0] == pytest.approx(corners(placement.source), abs=1e-2)


@given(image=INPUTS, height=SIDES, width=SIDES, data=st.data())
def test_a_box_in_what_the_model_sees_comes_back_to_where_it_was(
    image: ImageInput, height: int, width: int, data: st.DataObject
) -> None:
    placement = place(image, height, width)
    left, top, right, bottom = corners(placement.source)
    shares = data.draw(st.lists(st.floats(0, 1), min_size=4, max_size=4))
    xs, ys = sorted(shares[:2]), sorted(shares[2:])
    box = np.array(
        [
            [
                left + xs[0] * (right - left),
                top + ys[0] * (bottom - top),
                left + xs[1] * (right - left),
                top + ys[1] * (bottom - top),
            ]
        ],
        np.float32,
    )
    back = placement.to_picture(to_input(placement, box))
    # float32 of the model's input, times how much it was made smaller.
    assert back == pytest.approx(box, abs=1e-3 * max(1, width / image.width, height / image.height))


@given(image=INPUTS, height=SIDES, width=SIDES)
def test_boxes_end_at_the_edges_of_the_picture(image: ImageInput, height: int, width: int) -> None:
    wild = np.array([[-1e4, -1e4, 1e4, 1e4], [-50, 20, -20, 40]], np.float32)
    boxes = place(image, height, width).to_picture(wild)
    assert boxes.dtype == np.float32
    assert (boxes >= 0).all()
    assert (boxes[:, 0::2] <= width).all()
    assert (boxes[:, 1::2] <= height).all()


@given(height=SIDES, width=SIDES, input_height=st.integers(1, 700), input_width=st.integers(1, 700))
def test_letterbox_in_the_middle_is_ultralytics(
    height: int, width: int, input_height: int, input_width: int
) -> None:
    image = ImageInput(width=input_width, height=input_height, resize="letterbox")
    ratio = min(input_height / height, input_width / width)
    across, down = max(1, round(width * ratio)), max(1, round(height * ratio))
    left = round((input_width - across) / 2 - 0.1)
    top = round((input_height - down) / 2 - 0.1)
    assert place(image, height, width).target == Rectangle(left, top, across, down)


@given(height=SIDES, width=SIDES, side=st.integers(1, 700))
def test_letterbox_at_the_top_left_is_yolox_within_its_truncated_pixel(
    height: int, width: int, side: int
) -> None:
    image = ImageInput(width=side, height=side, resize="letterbox", pad_anchor="top_left")
    ratio = min(side / height, side / width)
    target = place(image, height, width).target
    assert (target.x, target.y) == (0, 0)
    assert 0 <= target.width - int(width * ratio) <= 1
    assert 0 <= target.height - int(height * ratio) <= 1


def test_a_crop_keeps_the_middle_square_of_the_shorter_side() -> None:
    image = ImageInput(width=224, height=224, resize="crop", crop_fraction=0.875)
    placement = place(image, 480, 640)
    assert placement.source == Rectangle(110, 30, 420, 420)
    assert placement.target == Rectangle(0, 0, 224, 224)


def test_a_crop_for_an_input_that_is_not_square_is_not_distorted() -> None:
    image = ImageInput(width=320, height=160, resize="crop", crop_fraction=0.5)
    assert place(image, 1000, 1000).source == Rectangle(250, 375, 500, 250)


def test_an_odd_pixel_of_padding_goes_right_or_down() -> None:
    image = ImageInput(width=10, height=10, resize="letterbox")
    assert place(image, 10, 5).target == Rectangle(2, 0, 5, 10)


def test_no_boxes_stay_no_boxes() -> None:
    image = ImageInput(width=10, height=10)
    assert place(image, 20, 20).to_picture(np.empty((0, 4), np.float32)).shape == (0, 4)
