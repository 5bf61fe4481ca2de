"""Picture files as upright 8-bit pixels: JPEG, PNG, BMP, GIF, WebP, TIFF and PPM, through Pillow.

Colours come out as training libraries read them (Keras, torchvision: ``Image.convert("RGB")``), because
that is what a model has learned from.
"""

from __future__ import annotations

import os
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..contract.values import Array, Pixels
from ..errors import ImageError
from .bit_depth import deep_gray, is_deep_gray, refuse_eight_bits, require_full_depth
from .file_content import first_bytes
from .pillow import load_pillow

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["MAX_PIXELS", "PICTURE_SUFFIXES", "is_picture", "read_picture"]

MAX_PIXELS = 8192 * 8192
"""The largest picture that is decoded: 67 megapixels."""
PICTURE_SUFFIXES = frozenset(
    (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
"""Names of pictures, in lower case."""

_FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
_SIGNATURE_BYTES = 12
_ORIENTATION = 0x0112
_DEEPEST = 16
_STRIP_PIXELS = 1 << 21  # so many are converted at a time: what that takes is small beside the picture
# Pillow tells of a damaged file by whatever its decoders stumble over.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, struct.error)
# Pillow's warnings are turned off by a setting of the whole process, so one picture at a time.
_one_at_a_time = threading.Lock()


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Whether the file's name is that of a picture; the file is not opened."""
    return Path(path).suffix.lower() in PICTURE_SUFFIXES


def read_picture(path: str | os.PathLike[str]) -> Pixels:
    """Read a picture, upright, whatever its file holds.

    Turned as its EXIF orientation says. Grey is repeated in all channels, a palette is looked up, of 16
    bits the upper 8 remain (of 12 too), CMYK is converted without a colour profile. Transparency is
    dropped: a clear pixel has the colour that the file gives it. Of an animation this is the first frame.

    Args:
        path: A JPEG, PNG, BMP, GIF, WebP, TIFF or PPM file; its content decides, not its name.

    Returns:
        uint8 ``[height, width, 3]``, blue, green, red. Owned by the caller.

    Raises:
        UsageError: There is no such file, or it is a folder.
        ImageError: Empty, no picture, truncated or damaged, or of more than :data:`MAX_PIXELS` by its
            header; such a picture is not decoded.
        MissingExtraError: Pillow is not installed.
    """
    file = Path(path)
    start = first_bytes(file, _SIGNATURE_BYTES)
    pixels, orientation = _read(file, start)
    return np.ascontiguousarray(_turned(pixels, orientation))


def _read(file: Path, start: bytes) -> tuple[Pixels, int]:
    """The pixels as they lie in the file, and their orientation; Pillow's copy is gone afterwards."""
    with _one_at_a_time, _decoded(file, start) as picture:
        return _eight_bit_bgr(picture, file), _orientation(picture)


@contextmanager
def _decoded(file: Path, start: bytes) -> Iterator[Image]:
    """A decoded picture; Pillow's warnings are off and its errors are ours until it is closed."""
    image = load_pillow("Image")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of metadata that we do not read, and sizes that we refuse
        try:
            with image.open(file, formats=_FORMATS) as picture:
                _require_size(file, picture.width * picture.height)
                picture.load()
                yield picture
        except image.DecompressionBombError as error:
            raise _too_large(file, str(error)) from error
        except _DAMAGED as error:
            raise _unreadable(file, start, error) from error


def _eight_bit_bgr(picture: Image, file: Path) -> Pixels:
    """Convert strip by strip: Pillow's conversions make one or two more copies of what they are given."""
    convert = _from_deep_gray(picture, file) if is_deep_gray(picture) else _from_colors(picture, file)
    width, height = picture.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip = picture if bottom - top == height else picture.crop((0, top, width, bottom))
        pixels[top:bottom] = convert(strip)
    return pixels


def _from_deep_gray(picture: Image, file: Path) -> Callable[[Image], Array]:
    """More than 8 bits: the upper 8 of those that are used."""
    depth, from_white = deep_gray(picture)
    if depth == _DEEPEST:
        refuse_eight_bits(picture, file)

    def convert(strip: Image) -> Array:
        gray = np.minimum(np.asarray(strip) >> (depth - 8), 255).astype(np.uint8)
        shown: Array = 255 - gray if from_white else gray
        return shown[..., np.newaxis]

    return convert


def _from_colors(picture: Image, file: Path) -> Callable[[Image], Array]:
    if picture.mode in ("F", "I", "LAB", "HSV"):
        raise ImageError(
            f"{file} holds no pixels of 8 or 16 bits in grey, RGB or CMYK, but Pillow's mode {picture.mode}",
            hint="convert it, for example: magick IN -depth 8 -colorspace sRGB OUT.png",
        )

    require_full_depth(picture, file)

    def convert(strip: Image) -> Array:
        rgb = strip if strip.mode == "RGB" else strip.convert("RGB")
        return np.frombuffer(rgb.tobytes("raw", "BGR"), np.uint8).reshape(rgb.height, rgb.width, 3)

    return convert


def _orientation(picture: Image) -> int:
    """EXIF's 1 to 8: how the camera was held. TIFF files have been turned by Pillow already."""
    try:
        orientation: int = picture.getexif().get(_ORIENTATION, 1)
    except _DAMAGED:  # metadata that cannot be read says nothing; the picture is whole
        return 1
    return orientation if orientation in range(1, 9) else 1


def _turned(pixels: Pixels, orientation: int) -> Pixels:
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


def _require_size(file: Path, pixels: int) -> None:
    if pixels > MAX_PIXELS:
        raise _too_large(file, f"{pixels / 1e6:.1f} megapixels")


def _too_large(file: Path, size: str) -> ImageError:
    return ImageError(
        f"{file} is too large to be decoded: {size}",
        hint=f"a picture may have {MAX_PIXELS / 1e6:.1f} megapixels; make it smaller, "
        "for example: magick IN -resize 4096x4096 OUT.jpg",
    )


def _unreadable(file: Path, start: bytes, error: Exception) -> ImageError:
    if not isinstance(error, load_pillow("Image").UnidentifiedImageError):
        return ImageError(
            f"{file} is truncated or damaged: {error}",
            hint="the camera or the copy may have been interrupted",
        )
    if start[4:8] == b"ftyp" and start[8:] in _HEIF_BRANDS:
        return ImageError(
            f"{file} is a HEIC or AVIF picture, which is not read",
            hint="convert it, for example: heif-convert IN.heic OUT.jpg",
        )
    return ImageError(
        f"{file} cannot be read as a picture",
        hint="JPEG, PNG, BMP, GIF, WebP, TIFF and PPM are read; it may be of another kind or damaged",
    )
