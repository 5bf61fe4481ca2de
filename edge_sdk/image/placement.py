"""Where a picture lands in a model's input, and where a box lands in the picture."""

from __future__ import annotations

import functools

import numpy as np
from msgspec import Struct

from ..contract.image import ImageInput
from ..contract.values import Float32Array

__all__ = ["Placement", "Rectangle", "place"]


class Rectangle(Struct, frozen=True):
    """Whole pixels: the left upper corner, and the size.

    Attributes:
        x: The first column.
        y: The first row.
        width: Number of columns.
        height: Number of rows.
    """

    x: int
    y: int
    width: int
    height: int


class Placement(Struct, frozen=True):
    """One rectangle of the picture, resized to one rectangle of the model's input.

    Attributes:
        picture_width: Of the whole picture, in pixels.
        picture_height: Of the whole picture, in pixels.
        source: What is taken from the picture: all of it, or the middle for ``crop``.
        target: What it fills in the model's input: all of it, or a part for ``letterbox``.
    """

    picture_width: int
    picture_height: int
    source: Rectangle
    target: Rectangle

    def to_picture(self, boxes: Float32Array) -> Float32Array:
        """Map boxes from the model's input to the picture, and cut them at its edges.

        A coordinate counts from the left upper corner of the left upper pixel, so that the corners
        of ``target`` go to the corners of ``source``. A box in the padding alone gets no area.

        Args:
            boxes: ``[n, 4]``: ``x1, y1, x2, y2`` in pixels of the model's input.

        Returns:
            New, ``[n, 4]``: the same in pixels of the picture, each within it.
        """
        scale, shift, least, most = _mapping(self)
        mapped: Float32Array = np.minimum(np.maximum(boxes * scale + shift, least), most)
        return mapped


@functools.lru_cache(maxsize=16)
def _mapping(placement: Placement) -> tuple[Float32Array, ...]:
    """Factor, summand, least and most of each side of a box; a camera's never change."""
    source, target = placement.source, placement.target
    across, down = source.width / target.width, source.height / target.height
    return (
        np.array((across, down) * 2, np.float32),
        np.array((source.x - target.x * across, source.y - target.y * down) * 2, np.float32),
        np.zeros(4, np.float32),
        np.array((placement.picture_width, placement.picture_height) * 2, np.float32),
    )


def place(image: ImageInput, height: int, width: int) -> Placement:
    """Find where a picture of that size lands.

    Sides are rounded to the nearest whole number, halves to the even one, and are at least 1. What
    is left over is shared out evenly; an odd pixel goes to the right or to the bottom.
    """
    whole = Rectangle(0, 0, width, height)
    full = Rectangle(0, 0, image.width, image.height)
    if image.resize == "letterbox":
        return Placement(width, height, whole, _letterbox(image, height, width))
    if image.resize == "crop":
        return Placement(width, height, _crop(image, height, width), full)
    return Placement(width, height, whole, full)


def _letterbox(image: ImageInput, height: int, width: int) -> Rectangle:
    """The largest rectangle of the picture's shape that the model's input holds."""
    scale = min(image.width / width, image.height / height)
    across = max(1, round(width * scale))
    down = max(1, round(height * scale))
    if image.pad_anchor == "top_left":
        return Rectangle(0, 0, across, down)
    return Rectangle((image.width - across) // 2, (image.height - down) // 2, across, down)


def _crop(image: ImageInput, height: int, width: int) -> Rectangle:
    """A share of the largest rectangle of the model input's shape that the picture holds."""
    scale = image.crop_fraction * min(width / image.width, height / image.height)
    across = max(1, round(image.width * scale))
    down = max(1, round(image.height * scale))
    return Rectangle((width - across) // 2, (height - down) // 2, across, down)
