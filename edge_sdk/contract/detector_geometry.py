"""Where a detector's candidates are said to be must be in its picture, or its boxes would be elsewhere."""

from __future__ import annotations

import math

from ..errors import ManifestError
from .detector import BoxCoding, CornerCoding, DirectCoding, DistanceCoding, Grid, OffsetCoding, Scale
from .image import ImageInput

__all__ = ["check_geometry"]

# Priors may have their middle a little outside, but not where pixels would put it.
_LEAST_SHARE, _MOST_SHARE = -1.0, 2.0
_SQUARE = 1.05
"""Sides of a cell that differ by less are the same, but for rounding."""
_LONG = 1.3


def check_geometry(where: str, scale: Scale, coding: BoxCoding, image: ImageInput | None) -> None:
    """Check anchors, priors and grids.

    Args:
        where: What they are of, for the message.
        scale: The scale that has them.
        coding: Its coding.
        image: The model's input; None where it is not known yet.

    Raises:
        ManifestError: A side that is none, anchors or priors in another unit, or a grid that does not
            cover the input.
    """
    for prior in scale.priors:
        _check_prior(where, prior)
    sides = [side for grid in scale.grids for anchor in grid.anchors for side in anchor]
    if not all(math.isfinite(side) and side > 0 for side in sides):
        raise ManifestError(f"{where} has an anchor whose width or height is no number above 0")
    by_anchor = (
        isinstance(coding, CornerCoding)
        or (isinstance(coding, OffsetCoding) and "anchor" in (coding.center_unit, coding.size_unit))
        or (isinstance(coding, DistanceCoding) and coding.unit == "anchor")
    )
    if by_anchor and sides and max(sides) < 1:
        raise ManifestError(
            f"{where}: anchors are in pixels of the input, but all are smaller than one pixel"
        )
    if image is None or isinstance(coding, DirectCoding):
        return
    for grid in scale.grids:
        _check_grid(where, grid, image)


def _check_prior(where: str, prior: tuple[float, float, float, float]) -> None:
    if not all(map(math.isfinite, prior)):
        raise ManifestError(f"{where} has a prior that is no number")
    if min(prior[2:]) <= 0:
        raise ManifestError(f"{where} has a prior whose width or height is not above 0: {list(prior)}")
    if not all(_LEAST_SHARE <= middle <= _MOST_SHARE for middle in prior[:2]):
        raise ManifestError(
            f"{where} has a prior far outside the picture: {list(prior)}; priors are center x, center y, "
            "width and height as shares of the input, not pixels"
        )


def _check_grid(where: str, grid: Grid, image: ImageInput) -> None:
    size = f"{grid.rows} rows and {grid.columns} columns"
    extents = ((image.height, grid.rows), (image.width, grid.columns))
    if grid.stride is not None:
        # Without padding in the network a grid ends early; it never ends before the middle.
        if not all(side / 2 < cells * grid.stride <= side + grid.stride for side, cells in extents):
            raise ManifestError(
                f"{where} has a grid of {size} in strides of {grid.stride:g} pixels, which does not cover "
                f"the input of {image.width} x {image.height} pixels"
            )
        return
    if _lengthened(image, grid.rows, grid.columns) > _LONG and (
        _lengthened(image, grid.columns, grid.rows) < _SQUARE
    ):
        raise ManifestError(
            f"{where} has a grid of {size}, whose cells would be square in the input of {image.width} x "
            f"{image.height} pixels if rows and columns were exchanged"
        )


def _lengthened(image: ImageInput, rows: int, columns: int) -> float:
    """How many times as long as wide a cell is, or the other way round; 1 for a square."""
    ratio = (image.height / rows) / (image.width / columns)
    return max(ratio, 1 / ratio)
