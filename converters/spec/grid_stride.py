"""A grid whose cells do not fill the input evenly: whoever describes it must say how large one is."""

from __future__ import annotations

import math

from edge_sdk.contract.detector import CandidateBoxes, DetectionOutput, DirectCoding, Grid
from edge_sdk.contract.image import ImageInput
from edge_sdk.errors import SpecError

__all__ = ["require_strides"]

_SQUARE = 1.001


def require_strides(output: DetectionOutput, image: ImageInput) -> None:
    """Refuse a grid without a stride where its cells would not be of whole pixels.

    Networks halve their input and pad it: 100 pixels in strides of 16 are 7 cells, of which the last
    reach beyond. Cells of 14.29 pixels are rare, and boxes would drift along the picture.

    Raises:
        SpecError: A grid leaves it open.
    """
    if not isinstance(output, CandidateBoxes):
        return
    for number, scale in enumerate(output.scales):
        if isinstance(scale.coding or output.coding, DirectCoding):
            continue
        for grid in scale.grids:
            if grid.stride is None and (image.height % grid.rows or image.width % grid.columns):
                raise _open(number, grid, image)


def _open(number: int, grid: Grid, image: ImageInput) -> SpecError:
    across, down = image.width / grid.columns, image.height / grid.rows
    network = 2 ** math.ceil(math.log2(max(across, down)))
    hint = f"give the grid the stride of the network: stride = {network}, if it halves its input so often"
    if max(across, down) / min(across, down) < _SQUARE:
        hint += f"; stride = {across:.6g} where the cells do fill the input"
    return SpecError(
        f"[detector]: scale {number} has a grid of {grid.rows} rows and {grid.columns} columns without a "
        f"stride, but the input of {image.width} x {image.height} pixels is no multiple of that: a cell "
        f"would be {across:.4g} x {down:.4g} pixels",
        hint=hint,
    )
