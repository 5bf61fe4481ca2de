"""How many bits of a sample a file uses where it has more than 8, of which Pillow tells only the room.

Cameras of 10, 12 or 14 bits write TIFF files of that many bits a sample, or of 16 whose upper ones stay
0. Their upper 8 of 16 bits would be a picture that is nearly black.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["deep_gray", "is_deep_gray", "refuse_eight_bits", "require_full_depth"]

_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE_VALUE = 258, 262, 281  # TIFF 6.0, section 8
_WHITE_IS_ZERO = 0
_ROOM = 16
_EIGHT_BITS = 255
_STRIP_PIXELS = 1 << 21  # so many are looked at at a time: a copy of a whole picture is large


def is_deep_gray(picture: Image) -> bool:
    """Whether a grey picture has more than 8 bits a sample, and Pillow keeps them."""
    return picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format in ("PNG", "PPM"))


def deep_gray(picture: Image) -> tuple[int, bool]:
    """How many bits such a picture uses, 9 to 16, and whether 0 is white.

    PNG and PPM spread fewer bits over all 16, or Pillow does.
    """
    if picture.format != "TIFF":
        return _ROOM, False
    return _used_bits(picture), _tag(picture, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO


def refuse_eight_bits(picture: Image, file: Path) -> None:
    """Refuse grey of 16 bits that holds the values of 8: nothing would be left of it but black.

    Not read as 8 bits, because a camera's picture of the night can hold no more: it would be lit up.

    Raises:
        ImageError: No value is above 255, and not all are 0.
    """
    width, height = picture.size
    rows = max(1, _STRIP_PIXELS // width)
    strips = (picture.crop((0, top, width, min(top + rows, height))) for top in range(0, height, rows))
    highest = max(int(np.asarray(strip).max()) for strip in strips)  # getextrema() knows no big-endian grey
    if 0 < highest <= _EIGHT_BITS:
        raise ImageError(
            f"{file} has 16 bits a pixel and no value above {highest}, so it would be read black",
            hint="if these are pixels of 8 bits, write them as such: with NumPy, astype('uint8')",
        )


def require_full_depth(picture: Image, file: Path) -> None:
    """Refuse colours of which Pillow has dropped the bits that say something.

    Raises:
        ImageError: A TIFF of 16 bits a channel, of which fewer are used.
    """
    if picture.format != "TIFF" or _tag(picture, _BITS_PER_SAMPLE, 8) != _ROOM:
        return
    used = _used_bits(picture)
    if used < _ROOM:
        raise ImageError(
            f"{file} has colours of {used} bits in samples of {_ROOM}, which would be read nearly black",
            hint="convert it to 8 bits a channel, or to such as fill all 16",
        )


def _used_bits(picture: Image) -> int:
    """By the bits of a sample or, where it is the largest number of so many bits, by the largest value.

    Any other largest value is taken for a fact about this picture, not about its camera: to make the
    brightest pixel white would make each picture of a series another one.
    """
    room = min(max(_tag(picture, _BITS_PER_SAMPLE, _ROOM), 9), _ROOM)
    largest = _tag(picture, _MAX_SAMPLE_VALUE, 0)
    whole = largest > 255 and largest & (largest + 1) == 0
    return min(room, largest.bit_length()) if whole else room


def _tag(picture: Image, number: int, default: int) -> int:
    """The first value of a TIFF tag."""
    tags: Any = getattr(picture, "tag_v2", {})
    value = tags.get(number, default)
    return int(value[0] if isinstance(value, tuple) else value)
