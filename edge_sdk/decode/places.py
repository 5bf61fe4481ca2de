"""Where a detector's candidates are, in pixels of the model's input."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..contract.detector import Grid, Scale
from ..contract.image import ImageInput
from ..contract.values import Float32Array

__all__ = ["Places", "find_places"]


class Places(NamedTuple):
    """The geometry of one scale. Candidates run over grids, in each over cells, in these anchors.

    Attributes:
        corners: Left upper corner of each candidate's cell, float32, shape ``[n, 2]``; of a prior,
            its center.
        strides: Width and height of its cell, shape ``[n, 2]``; 0 for a prior.
        anchors: Width and height of its anchor, shape ``[n, 2]``; 0 where there is none.
        cells: Cells, or priors.
        anchors_per_cell: At least 1; 0 where grids differ in it.
    """

    corners: Float32Array
    strides: Float32Array
    anchors: Float32Array
    cells: int
    anchors_per_cell: int


def find_places(scale: Scale, image: ImageInput) -> Places | None:
    """The geometry of a scale; None where it describes none, because boxes are given directly."""
    if scale.priors:
        priors = np.asarray(scale.priors, np.float64) * np.tile([image.width, image.height], 2)
        sides = priors[:, 2:].astype(np.float32)
        return Places(priors[:, :2].astype(np.float32), np.zeros_like(sides), sides, len(priors), 1)
    if not scale.grids:
        return None
    corners, strides, anchors = zip(*(_cells(grid, image) for grid in scale.grids), strict=True)
    counts = {max(1, len(grid.anchors)) for grid in scale.grids}
    return Places(
        np.concatenate(corners).astype(np.float32),
        np.concatenate(strides).astype(np.float32),
        np.concatenate(anchors).astype(np.float32),
        cells=sum(grid.rows * grid.columns for grid in scale.grids),
        anchors_per_cell=counts.pop() if len(counts) == 1 else 0,
    )


def _cells(grid: Grid, image: ImageInput) -> tuple[Float32Array, Float32Array, Float32Array]:
    anchors = np.asarray(grid.anchors or [(0.0, 0.0)], np.float64)
    if grid.stride is not None:
        stride = np.array([grid.stride, grid.stride])
    else:
        stride = np.array([image.width / grid.columns, image.height / grid.rows])
    rows, columns = np.mgrid[: grid.rows, : grid.columns]
    cells = np.stack([columns, rows], axis=-1)
    if grid.order == "column_major":
        cells = cells.transpose(1, 0, 2)
    corners = cells.reshape(-1, 2) * stride
    per_candidate = np.repeat(corners, len(anchors), axis=0)
    return (
        per_candidate,
        np.broadcast_to(stride, per_candidate.shape),
        np.tile(anchors, (len(corners), 1)),
    )
