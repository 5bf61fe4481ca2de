"""OpenCV's ``INTER_LINEAR`` of 8-bit pictures, on every machine bit for bit as its reference code has it.

The reference (``modules/imgproc/src/resize.cpp``) is arithmetic in whole numbers: weights of 11 bits, the
sum along a row shortened by 4 bits, those between rows by 16, and the last two rounded. OpenCV's vector code
for x86 and NEON gives the same. What does not are the libraries of processor makers that a build may
put in its place ("Custom HAL": Arm's KleidiCV and Carotene, RISC-V's): they are up to two grey levels off
(`kornia-rs #1005 <https://github.com/kornia/kornia-rs/pull/1005>`_), and KleidiCV has crashed
(`opencv #29794 <https://github.com/opencv/opencv/issues/29794>`_). There the same is computed with NumPy.
"""

from __future__ import annotations

import functools
import re
from types import ModuleType
from typing import NamedTuple, final

import numpy as np
import numpy.typing as npt

from ..contract.values import Array, Pixels

__all__ = ["OpenCVLinear", "foreign_resizers", "resize_linear"]

_ONE = np.float32(2048)  # weights have 11 bits
_ROWS = 64  # so many new rows at a time stay in a processor's cache
_EXACT = frozenset(("ipp",))  # Intel's: OpenCV takes it for 8-bit pictures only where it is exact
_UNTRIED = frozenset(("kleidicv",))  # not even to find out
_Whole = npt.NDArray[np.int32]


@final
class OpenCVLinear:
    """Resizes by OpenCV itself where that equals its reference, else by NumPy. Not for several threads.

    Args:
        cv: OpenCV.
    """

    def __init__(self, cv: ModuleType) -> None:
        self._cv = cv
        self._foreign = foreign_resizers(cv.getBuildInformation()) - _EXACT
        self._tried: dict[tuple[int, ...], bool] = {}

    def resize(self, pixels: Pixels, size: tuple[int, int], out: Pixels) -> Pixels:
        """Make a picture of another size.

        Args:
            pixels: uint8 ``[height, width, 3]``.
            size: Its new width and height, at least one of them another.
            out: Where to, ``[height, width, 3]``.
        """
        if self._foreign and not self._equals_reference(pixels.shape, size):
            return resize_linear(pixels, size, out)
        resized: Pixels = self._cv.resize(pixels, size, dst=out, interpolation=self._cv.INTER_LINEAR)
        return resized

    def _equals_reference(self, shape: tuple[int, ...], size: tuple[int, int]) -> bool:
        """Found out once for a picture's size, on one without any pattern: a camera's never changes."""
        if self._foreign & _UNTRIED:
            return False
        key = (*shape, *size)
        if key not in self._tried:
            noise: Pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
            theirs = self._cv.resize(noise, size, interpolation=self._cv.INTER_LINEAR)
            ours = resize_linear(noise, size, np.empty((size[1], size[0], 3), np.uint8))
            self._tried[key] = bool(np.array_equal(theirs, ours))
        return self._tried[key]


def foreign_resizers(build_information: str) -> frozenset[str]:
    """Names of the libraries that may stand in for OpenCV's own code, from ``cv2.getBuildInformation()``."""
    line = re.search(r"^ *Custom HAL: *YES *\((.*)\) *$", build_information, re.MULTILINE)
    if line is None:
        return frozenset()
    return frozenset(re.findall(r"(\w+) *\(ver", line[1].lower()) or (line[1],))


def resize_linear(pixels: Pixels, size: tuple[int, int], out: Pixels) -> Pixels:
    """What OpenCV's reference code gives; see :meth:`OpenCVLinear.resize`."""
    across, down = _weights(pixels.shape[1], size[0], inside=True), _weights(pixels.shape[0], size[1])
    channels = pixels.shape[2]
    of_left, of_right = (np.repeat(share, channels) for share in (across.low_share, across.high_share))
    for top in range(0, size[1], _ROWS):
        lows, highs = down.low[top : top + _ROWS], down.high[top : top + _ROWS]
        first = min(lows.min(), highs.min())
        rows = pixels[first : max(lows.max(), highs.max()) + 1]
        mixed = rows.take(across.low, axis=1).reshape(len(rows), -1) * of_left
        mixed += rows.take(across.high, axis=1).reshape(len(rows), -1) * of_right
        mixed >>= 4
        upper, lower = mixed.take(lows - first, axis=0), mixed.take(highs - first, axis=0)
        upper *= down.low_share[top : top + _ROWS, np.newaxis]
        lower *= down.high_share[top : top + _ROWS, np.newaxis]
        upper >>= 16
        lower >>= 16
        upper += lower
        upper += 2
        upper >>= 2
        out[top : top + _ROWS] = upper.reshape(len(upper), size[0], channels)
    return out


class _Weights(NamedTuple):
    """Between which two old rows or columns each new one lies, and what each of them gives to it."""

    low: _Whole
    high: _Whole
    low_share: _Whole
    high_share: _Whole


@functools.lru_cache(maxsize=16)
def _weights(old: int, new: int, *, inside: bool = False) -> _Weights:
    """Half-pixel centres, in the roundings of the reference.

    Args:
        old: Rows or columns of the picture.
        new: Those of the new one.
        inside: Beyond the middle of the outermost one, take that alone. The reference does so for columns
            only: of rows it mixes the outermost with itself, which can be one level darker.
    """
    scale = 1.0 / (new / old)
    place: Array = ((np.arange(new) + 0.5) * scale - 0.5).astype(np.float32)
    low: Array = np.floor(place).astype(np.int32)
    share: Array = place - low.astype(np.float32)
    if inside:
        share[(low < 0) | (low >= old - 1)] = 0
    return _Weights(
        np.clip(low, 0, old - 1),
        np.clip(low + 1, 0, old - 1),
        np.rint((np.float32(1) - share) * _ONE).astype(np.int32),
        np.rint(share * _ONE).astype(np.int32),
    )
