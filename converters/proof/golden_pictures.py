"""Golden pictures: real ones of one shape that is not the model's, so that resizing is under test too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Pixels
from edge_sdk.image.opencv import load_opencv
from edge_sdk.image.picture_file import read_picture

from ..data.picture_set import Picture

__all__ = ["FEWEST_PICTURES", "MOST_PICTURES", "golden_pictures", "golden_size"]

MOST_PICTURES = 8
"""At 280x210 each takes 176 KB of the bundle, at 800x600 1.4 MB."""
FEWEST_PICTURES = 4

_LARGER = 1.25
"""Than the model's larger side: it must be made smaller, and by no whole factor."""
_ASPECTS = (4 / 3, 3 / 4)
_ALIKE = 0.1


def golden_size(image: ImageInput) -> tuple[int, int]:
    """Height and width of the golden pictures for a model: of another aspect than its own input."""
    own = image.width / image.height
    aspect = next(ratio for ratio in _ASPECTS if abs(ratio - own) > _ALIKE)
    larger = max(2, round(_LARGER * max(image.width, image.height)))
    return (round(larger / aspect), larger) if aspect > 1 else (larger, round(larger * aspect))


def golden_pictures(pictures: Sequence[Picture], image: ImageInput) -> Pixels:
    """The middle of each picture, resized: uint8 ``[n, height, width, 3]``, blue, green, red."""
    height, width = golden_size(image)
    return np.stack([_fitted(read_picture(picture.path), height, width) for picture in pictures])


def _fitted(pixels: Pixels, height: int, width: int) -> Pixels:
    cv = load_opencv()
    scale = min(pixels.shape[0] / height, pixels.shape[1] / width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (pixels.shape[0] - rows) // 2, (pixels.shape[1] - columns) // 2
    middle = np.ascontiguousarray(pixels[top : top + rows, left : left + columns])
    fitted: Pixels = cv.resize(middle, (width, height), interpolation=cv.INTER_AREA)
    return fitted
