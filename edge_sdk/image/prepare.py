"""A picture into the tensor that a model takes: resize, colour order, scaling, layout.

There is this one implementation, for calibration, evaluation and the device. It is made of operations
whose result does not depend on the processor or on OpenCV's version: IEEE float32 arithmetic, and
resizing in whole numbers. ``bicubic`` and ``area`` are OpenCV's own, and may differ by one grey level
from one machine to another.
"""

from __future__ import annotations

from itertools import cycle
from types import ModuleType
from typing import NamedTuple, final

import numpy as np

from ..contract.image import ImageInput, channel_count, image_shape
from ..contract.values import Array, Float32Array, Pixels
from ..errors import UsageError
from .opencv import load_opencv
from .opencv_linear import OpenCVLinear
from .placement import Placement, Rectangle, place

__all__ = ["Preparation", "Prepared"]

_INTERPOLATIONS = {
    "bilinear": "INTER_LINEAR_EXACT",
    "bicubic": "INTER_CUBIC",
    "area": "INTER_AREA",
}


class Prepared(NamedTuple):
    """A picture as a model takes it.

    Attributes:
        tensor: float32, ``[1, height, width, channels]`` or ``[1, channels, height, width]``. It
            belongs to the preparation, and is overwritten by the next picture.
        placement: Where the picture lies in it.
    """

    tensor: Float32Array
    placement: Placement


@final
class Preparation:
    """Makes pictures fit one model input. Not for several threads at once.

    Args:
        image: What the model takes.

    Raises:
        MissingExtraError: OpenCV is not installed.
    """

    def __init__(self, image: ImageInput) -> None:
        self.image = image
        self._cv = load_opencv()
        interpolation = _INTERPOLATIONS.get(image.interpolation)
        self._interpolation: int | None = None if interpolation is None else getattr(self._cv, interpolation)
        self._linear = OpenCVLinear(self._cv)
        self._tensor = np.zeros((1, *image_shape(image)), np.float32)
        self._scaling = _Scaling(image, self._cv)
        self._geometry: _Geometry | None = None

    def tensor(self, pixels: Pixels) -> Prepared:
        """Make one picture fit.

        Args:
            pixels: The picture, uint8 ``[height, width, 3]``, blue, green, red.

        Raises:
            UsageError: No such array, or an empty one.
        """
        geometry = self._geometry_for(pixels)
        ordered = self._order(self._resize(pixels, geometry), geometry)
        self._scaling.apply(ordered, geometry)
        return Prepared(self._tensor, geometry.placement)

    def placement(self, height: int, width: int) -> Placement:
        """Where a picture of that size lands."""
        return place(self.image, height, width)

    def _geometry_for(self, pixels: Pixels) -> _Geometry:
        """What depends on the picture's size alone; it is kept, because a camera's never changes."""
        if self._geometry is not None and self._geometry.picture == pixels.shape and pixels.dtype == np.uint8:
            return self._geometry
        _require_picture(pixels)
        geometry = _Geometry(self.image, self._tensor, pixels.shape, self._scaling)
        if self.image.resize == "letterbox":
            self._scaling.fill(self._tensor, self.image.pad_value)
        self._geometry = geometry
        return geometry

    def _resize(self, pixels: Pixels, geometry: _Geometry) -> Pixels:
        cut = pixels[geometry.rows, geometry.columns]
        width, height = geometry.size
        if cut.shape[:2] == (height, width):
            return cut
        if self.image.interpolation == "opencv_bilinear":
            return self._linear.resize(cut, geometry.size, geometry.resized)
        if self._interpolation is None:
            return _nearest(cut, height, width)
        resized: Pixels = self._cv.resize(
            cut, geometry.size, dst=geometry.resized, interpolation=self._interpolation
        )
        return resized

    def _order(self, fitted: Pixels, geometry: _Geometry) -> Array:
        """Bring the channels into the model's order and layout, in 8 bits: that is the cheapest place."""
        if self.image.color == "gray":
            gray: Array = self._cv.cvtColor(fitted, self._cv.COLOR_BGR2GRAY, dst=geometry.ordered)
            return gray
        if self.image.layout == "nchw":
            self._cv.split(fitted, geometry.planes)
            return geometry.ordered
        if self.image.color == "bgr":
            return fitted
        rgb: Array = self._cv.cvtColor(fitted, self._cv.COLOR_BGR2RGB, dst=geometry.ordered)
        return rgb


def _nearest(pixels: Pixels, height: int, width: int) -> Pixels:
    """Each new pixel is the old one under its middle. OpenCV's own changed from version 4 to 5."""
    rows = (2 * np.arange(height) + 1) * pixels.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * pixels.shape[1] // (2 * width)
    resized: Pixels = pixels.take(rows, axis=0).take(columns, axis=1)
    return resized


@final
class _Geometry:
    """Buffers and views for pictures of one size.

    Attributes:
        picture: The shape of the picture.
        placement: Where it lands.
        rows, columns: What is taken from it.
        size: Width and height of what that becomes.
        resized: The picture after resizing, uint8 ``[height, width, 3]``.
        ordered: The same in the model's colours, uint8: ``[height, width]`` for grey,
            ``[3, height, width]`` for nchw, else ``[height, width, 3]``.
        planes: Blue, green and red in ``ordered``, for nchw.
        region: Where it goes, a view of the tensor: ``[channels, height, width]`` for nchw, else
            ``[height, width * channels]``, whose long rows NumPy goes through much faster.
        lookups: What is looked up where and written where, for nchw.
    """

    def __init__(
        self, image: ImageInput, tensor: Float32Array, picture: tuple[int, ...], scaling: _Scaling
    ) -> None:
        self.picture = picture
        self.placement = place(image, picture[0], picture[1])
        source, target = self.placement.source, self.placement.target
        self.rows = slice(source.y, source.y + source.height)
        self.columns = slice(source.x, source.x + source.width)
        self.size = (target.width, target.height)
        size = (target.height, target.width)
        self.resized: Pixels = np.empty((*size, 3), np.uint8)
        self.region = _region(image, tensor, target)
        self.ordered: Array
        if image.color == "gray":
            self.ordered = np.empty(size, np.uint8)
        else:
            self.ordered = np.empty((3, *size) if image.layout == "nchw" else (*size, 3), np.uint8)
        self.planes: list[Array] = []
        self.lookups: list[tuple[Array, Float32Array, Float32Array]] = []
        if image.layout == "nchw":
            self.planes = list(self.ordered if image.color == "bgr" else self.ordered[::-1])
            self.lookups = scaling.lookups(self.ordered, self.region)


def _region(image: ImageInput, tensor: Float32Array, target: Rectangle) -> Float32Array:
    rows = slice(target.y, target.y + target.height)
    if image.layout == "nchw":
        return tensor[0, :, rows, target.x : target.x + target.width]
    channels = channel_count(image.color)
    lines = tensor.reshape(image.height, image.width * channels)
    return lines[rows, target.x * channels : (target.x + target.width) * channels]


@final
class _Scaling:
    """``(pixel - mean) / std`` in float32, looked up: a pixel has 256 values, and memory is passed once."""

    def __init__(self, image: ImageInput, cv: ModuleType) -> None:
        self._cv = cv
        self._nchw = image.layout == "nchw"
        self._mean = _by_channel(image.mean)
        self._std = _by_channel(image.std)
        grays = np.arange(256, dtype=np.float32)[:, np.newaxis]
        table = (grays - self._mean) / self._std
        self._tables = [np.ascontiguousarray(column)[np.newaxis] for column in table.T]
        self._joint = table[np.newaxis]

    def lookups(self, ordered: Array, region: Float32Array) -> list[tuple[Array, Float32Array, Float32Array]]:
        """Planes of pixels, their tables and where each goes; one for all channels where that can be."""
        planes = ordered.reshape(region.shape)
        if len(self._tables) == 1 and region.flags.c_contiguous:
            across = region.shape[2]
            return [(planes.reshape(-1, across), self._tables[0], region.reshape(-1, across))]
        return list(zip(planes, cycle(self._tables), region, strict=False))

    def apply(self, pixels: Array, geometry: _Geometry) -> None:
        """Write the scaled pixels into their region of the tensor."""
        region = geometry.region
        if self._nchw:
            for plane, table, target in geometry.lookups:
                self._cv.LUT(plane, table, dst=target)
        elif len(self._tables) == 1:
            self._cv.LUT(pixels.reshape(region.shape), self._joint, dst=region)
        else:
            self._cv.LUT(pixels, self._joint, dst=region.reshape(pixels.shape))

    def fill(self, tensor: Float32Array, value: float) -> None:
        """Fill all of the tensor with the scaled value."""
        scaled = (np.float32(value) - self._mean) / self._std
        tensor[:] = scaled.reshape(-1, 1, 1) if self._nchw else scaled


def _by_channel(values: tuple[float, ...]) -> Float32Array:
    """One number where all channels have the same: one table is faster than three."""
    return np.array(values[:1] if len(set(values)) == 1 else values, np.float32)


def _require_picture(pixels: Pixels) -> None:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise UsageError(
            f"a picture must be uint8 [height, width, 3], not {pixels.dtype} {list(pixels.shape)}",
            hint="channels are blue, green, red, as read_picture and OpenCV give them",
        )
