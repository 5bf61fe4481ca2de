"""A detector's description must agree with itself, or its boxes would be plausible and wrong."""

from __future__ import annotations

import math

from ..errors import ManifestError
from .detector import (
    CandidateBoxes,
    DetectionRows,
    DetectionTensors,
    DistanceCoding,
    OffsetCoding,
    Part,
    Scale,
)

__all__ = ["candidate_count", "check_detector"]

_MOST_CANDIDATES = 1_000_000


def candidate_count(scale: Scale) -> int:
    """How many candidates the grids or priors of a scale describe; 0 where it describes none."""
    if scale.priors:
        return len(scale.priors)
    return sum(grid.rows * grid.columns * max(1, len(grid.anchors)) for grid in scale.grids)


def check_detector(output: CandidateBoxes | DetectionTensors | DetectionRows) -> None:
    """Check what a schema cannot say.

    Raises:
        ManifestError: Parts of the description contradict each other.
    """
    if isinstance(output, CandidateBoxes):
        for number, scale in enumerate(output.scales):
            _check_scale(f"scale {number} of the detector", scale, output)
    elif isinstance(output, DetectionRows):
        columns = {*range(output.box_column, output.box_column + 4), output.score_column, output.class_column}
        if len(columns) != 6:
            raise ManifestError("box, score and class of a detection row stand in the same columns")


def _check_scale(where: str, scale: Scale, output: CandidateBoxes) -> None:
    for name, part in (("box", scale.box), ("classes", scale.classes), ("objectness", scale.objectness)):
        if part is not None:
            _check_axes(f"{where}, {name}", part)
    if scale.grids and scale.priors:
        raise ManifestError(f"{where} has both grids and priors; one says where candidates are")
    if candidate_count(scale) > _MOST_CANDIDATES:
        raise ManifestError(f"{where} has {candidate_count(scale)} candidates, more than {_MOST_CANDIDATES}")
    if any(not math.isfinite(value) for prior in scale.priors for value in prior):
        raise ManifestError(f"{where} has a prior that is no number")
    if any(
        not (math.isfinite(side) and side > 0) for grid in scale.grids for a in grid.anchors for side in a
    ):
        raise ManifestError(f"{where} has an anchor whose width or height is no number above 0")
    _check_coding(where, scale, output)


def _check_coding(where: str, scale: Scale, output: CandidateBoxes) -> None:
    coding = output.coding
    if isinstance(coding, OffsetCoding | DistanceCoding) and not (scale.grids or scale.priors):
        raise ManifestError(f"{where}: boxes are relative to cells, but no grid says where those are")
    if isinstance(coding, DistanceCoding) and scale.priors:
        raise ManifestError(f"{where}: distances count from the cells of a grid, not from priors")
    uses_anchor = isinstance(coding, OffsetCoding) and "anchor" in (coding.center_unit, coding.size_unit)
    if uses_anchor and any(not grid.anchors for grid in scale.grids):
        raise ManifestError(f"{where}: boxes are relative to anchors, but a grid has none")


def _check_axes(where: str, part: Part) -> None:
    axes = part.axes
    if len(set(axes)) != len(axes):
        raise ManifestError(f"{where}: an axis appears twice in {axes}")
    places = {"rows", "columns"} <= set(axes)
    if places == ("candidates" in axes):
        raise ManifestError(f"{where}: axes must name either rows and columns or candidates, not {axes}")
    if ("values" in axes) == ("anchors_values" in axes) or ("anchors" in axes and "anchors_values" in axes):
        raise ManifestError(f"{where}: axes must name values or anchors_values once, not {axes}")
