"""What was found, drawn into the picture, for people. Through Pillow: its letters are smooth."""

from __future__ import annotations

import colorsys
import os
import tempfile
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..contract.values import Detections, Pixels
from ..errors import UsageError
from .label_places import LabelPlaces, Rectangle
from .picture_file import PICTURE_SUFFIXES, is_picture
from .pillow import load_pillow

__all__ = ["draw_classes", "draw_detections", "write_picture"]

_Color: TypeAlias = tuple[int, int, int]

_JPEG_QUALITY = 95
_LEAST_LETTERS_PX = 11
_WHITE: _Color = (255, 255, 255)
_BLACK: _Color = (0, 0, 0)


def draw_detections(
    pixels: Pixels, detections: Detections, labels: Sequence[str], thresholds: Sequence[float]
) -> Pixels:
    """Draw a box with its label and score around each detection that counts; no label hides another.

    Args:
        pixels: The picture, uint8 ``[height, width, 3]``, blue, green, red. It is not changed.
        detections: What was found in it.
        labels: The names of the model's labels.
        thresholds: By label: scores below are not drawn.

    Returns:
        A new picture.
    """
    canvas = _Canvas(pixels)
    counting = [
        (_in_pixels(box.tolist()), f"{labels[label]} {score:.2f}", _color(int(label)))
        for box, score, label in zip(detections.boxes, detections.scores, detections.labels, strict=True)
        if float(score) >= thresholds[label]  # as those who tell of it compare, not in float32
    ]
    for box, _, color in reversed(counting):  # the best come last, on top
        canvas.box(box, color)
    for box, text, color in counting:  # the best choose first
        canvas.label(box, text, color)
    return canvas.pixels()


def draw_classes(pixels: Pixels, scores: Sequence[tuple[str, float]]) -> Pixels:
    """Write names and scores into the left upper corner, a line each.

    Args:
        pixels: The picture, uint8 ``[height, width, 3]``, blue, green, red. It is not changed.
        scores: Names and scores, in the order in which to write them.

    Returns:
        A new picture.
    """
    canvas = _Canvas(pixels)
    top = 0
    for index, (name, score) in enumerate(scores):
        top = canvas.text((0, top), f"{score:.2f} {name}", _color(index))
    return canvas.pixels()


def write_picture(path: str | os.PathLike[str], pixels: Pixels) -> None:
    """Write a picture; the file appears when it is complete.

    Args:
        path: Its suffix decides the format: ``.jpg`` (quality 95), ``.png``, ...
        pixels: uint8 ``[height, width, 3]``, blue, green, red.

    Raises:
        UsageError: A suffix that is no picture's, or a folder that is missing or cannot be written to.
        MissingExtraError: Pillow is not installed.
    """
    file = Path(path)
    if not is_picture(file):
        raise UsageError(
            f"{file} does not have the name of a picture",
            hint=f"end it in one of {' '.join(sorted(PICTURE_SUFFIXES))}",
        )
    picture = load_pillow("Image").fromarray(np.ascontiguousarray(pixels[..., ::-1]))
    try:
        with tempfile.TemporaryDirectory(prefix=".edge-sdk-", dir=file.parent) as folder:
            aside = Path(folder) / file.name
            picture.save(aside, quality=_JPEG_QUALITY)
            aside.replace(file)
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror or error}") from error


class _Canvas:
    """A copy of a picture that can be drawn on; lines and letters grow with it."""

    def __init__(self, pixels: Pixels) -> None:
        image = load_pillow("Image")
        self._image: Any = image.fromarray(np.ascontiguousarray(pixels[..., ::-1]))
        self._draw: Any = load_pillow("ImageDraw").Draw(self._image)
        side = min(pixels.shape[:2])
        self._font: Any = load_pillow("ImageFont").load_default(max(_LEAST_LETTERS_PX, side // 32))
        self._line_px = max(1, side // 240)
        self._places = LabelPlaces(self._image.width, self._image.height)

    def box(self, box: Rectangle, color: _Color) -> None:
        """A rectangle."""
        right, bottom = max(box.left, box.right - 1), max(box.top, box.bottom - 1)
        self._draw.rectangle((box.left, box.top, right, bottom), outline=color, width=self._line_px)

    def label(self, box: Rectangle, text: str, color: _Color) -> None:
        """The text of a box, where it hides no other."""
        place = self._places.take(box, self._length(_drawable(text)), self._line_height())
        self.text((place.left, place.top), text, color)

    def text(self, corner: tuple[int, int], text: str, color: _Color) -> int:
        """A line of text on its colour, moved left where it would not fit; returns where the next begins."""
        text = _drawable(text)
        left, top = corner
        length = self._length(text)
        left = max(0, min(left, self._image.width - length))
        right = left + length
        bottom = top + self._line_height()
        self._draw.rectangle((left, top, right, bottom - 1), fill=color)
        light = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
        self._draw.text((left + 1, top + 1), text, fill=_BLACK if light > 128 else _WHITE, font=self._font)
        return bottom

    def pixels(self) -> Pixels:
        """What has been drawn, uint8 ``[height, width, 3]``, blue, green, red."""
        return np.ascontiguousarray(np.asarray(self._image, np.uint8)[..., ::-1])

    def _length(self, text: str) -> int:
        return int(self._font.getlength(text)) + 2

    def _line_height(self) -> int:
        ascent, descent = self._font.getmetrics()
        return int(ascent + descent) + 2


def _in_pixels(corners: Sequence[float]) -> Rectangle:
    left, top, right, bottom = (round(corner) for corner in corners)
    return Rectangle(left, top, right, bottom)


def _drawable(text: str) -> str:
    """The letters that Pillow's own font has: accents go, and what is not Latin becomes a question mark."""
    bare = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(bare).encode("ascii", "replace").decode()


def _color(label: int) -> _Color:
    """Labels that follow each other get hues far apart: steps of the golden angle."""
    red, green, blue = colorsys.hsv_to_rgb(label * 0.618034 % 1.0, 0.85, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)
