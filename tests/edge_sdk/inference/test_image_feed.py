"""A spec that does not fit a model's input is told what would fit, and nothing that fits already."""

from __future__ import annotations

import pytest

from edge_sdk.contract.image import ColorOrder, ImageInput
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import ModelError
from edge_sdk.inference.image_feed import fit_image


def hint(
    shape: tuple[int | None, ...], color: ColorOrder, size: tuple[int, int], *, nchw: bool = False
) -> str:
    height, width = size
    image = ImageInput(height=height, width=width, color=color, layout="nchw" if nchw else "nhwc")
    with pytest.raises(ModelError) as caught:
        fit_image(image, TensorSpec("x", shape, "float32"))
    assert caught.value.hint is not None
    return caught.value.hint


def test_a_color_that_does_not_fit_is_named_and_not_the_size_that_does() -> None:
    assert hint((1, 48, 64, 3), "gray", (48, 64)) == "the model wants color = 'rgb' or 'bgr'"
    assert hint((1, 48, 64, 1), "rgb", (48, 64)) == "the model wants color = 'gray'"
    assert hint((1, 3, 48, 64), "gray", (48, 64), nchw=True) == "the model wants color = 'rgb' or 'bgr'"


def test_color_and_size_are_told_together() -> None:
    assert hint((1, 28, 28, 1), "rgb", (32, 32)) == "the model wants color = 'gray', height = 28, width = 28"
    assert hint((1, 48, 64, 3), "rgb", (64, 48)) == "the model wants height = 48, width = 64"
    assert hint((None, None, 64, 3), "rgb", (48, 48)) == "the model wants width = 64"


def test_another_layout_is_told_with_the_size() -> None:
    first = "the model has its channels first: layout = 'nchw', height = 48, width = 64"
    assert hint((1, 3, 48, 64), "rgb", (48, 64)) == first
    assert hint((1, 3, 48, 64), "gray", (48, 64)).startswith(
        "the model has its channels first: layout = 'nchw'"
    )
    assert "color = 'rgb' or 'bgr'" in hint((1, 3, 48, 64), "gray", (48, 64))
    last = "the model has its channels last: layout = 'nhwc', height = 48, width = 64"
    assert hint((1, 48, 64, 3), "rgb", (48, 64), nchw=True) == last


def test_what_is_no_picture_says_so() -> None:
    assert "something else than one picture" in hint((1, 640), "rgb", (8, 8))
