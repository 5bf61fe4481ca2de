"""A detector's description must agree with itself, or its boxes would be plausible and wrong."""

from __future__ import annotations

import math

from msgspec import structs

from ..errors import ManifestError
from .detector import (
    BoxCoding,
    CandidateBoxes,
    CellCoding,
    CornerCoding,
    DetectionRows,
    DetectionTensors,
    DirectCoding,
    DistanceCoding,
    OffsetCoding,
    Part,
    Scale,
)
from .detector_geometry import check_geometry
from .image import ImageInput

__all__ = ["candidate_count", "check_detector", "row_columns"]

_MOST_CANDIDATES = 1_000_000


def candidate_count(scale: Scale) -> int:
    """How many candidates the grids or priors of a scale describe; 0 where it describes none."""
    if scale.priors:
        return len(scale.priors)
    return sum(grid.rows * grid.columns * max(1, len(grid.anchors)) for grid in scale.grids)


def row_columns(rows: DetectionRows) -> list[int]:
    """Which numbers of a row are read."""
    columns = [*range(rows.box_column, rows.box_column + 4), rows.score_column]
    if not rows.one_class:
        columns.append(rows.class_column)
    if rows.picture_column is not None:
        columns.append(rows.picture_column)
    return columns


def check_detector(
    output: CandidateBoxes | DetectionTensors | DetectionRows, image: ImageInput | None = None
) -> None:
    """Check what a schema cannot say.

    Args:
        output: The description.
        image: The model's input, which grids must cover; None where it is not known yet.

    Raises:
        ManifestError: Parts of the description contradict each other.
    """
    if isinstance(output, CandidateBoxes):
        _check_count(sum(map(candidate_count, output.scales)))
        for number, scale in enumerate(output.scales):
            where = f"scale {number} of the detector"
            _check_scale(where, scale, output)
            check_geometry(where, scale, scale.coding or output.coding, image)
    elif isinstance(output, DetectionRows):
        _check_finite("the detector", output.coding)
        columns = row_columns(output)
        if len(set(columns)) != len(columns):
            raise ManifestError("box, score and class of a detection row stand in the same columns")
    else:
        _check_finite("the detector", output.coding)
        _check_tensors(output)


def _check_count(candidates: int) -> None:
    """Tables of this length are made before the model is asked."""
    if candidates > _MOST_CANDIDATES:
        raise ManifestError(f"the detector has {candidates} candidates, more than {_MOST_CANDIDATES}")


def _check_tensors(output: DetectionTensors) -> None:
    names = [output.boxes, output.classes, output.count]
    if output.scores != output.boxes:
        names.append(output.scores)
    for name in filter(None, names):
        if names.count(name) > 1:
            raise ManifestError(f"boxes, classes, scores and count of the detector share the tensor '{name}'")


def _check_scale(where: str, scale: Scale, output: CandidateBoxes) -> None:
    if scale.grids and scale.priors:
        raise ManifestError(f"{where} has both grids and priors; one says where candidates are")
    parts = {
        "box": scale.box,
        "size": scale.size,
        "classes": scale.classes,
        "objectness": scale.objectness,
        "quality": scale.quality,
    }
    for name, part in parts.items():
        if part is not None:
            _check_axes(f"{where}, {name}", part, scale, one_number=name not in ("box", "size"))
    _check_coding(where, scale, scale.coding or output.coding)
    _check_peaks(where, scale, output)
    if scale.label is not None and (output.class_activation == "softmax" or output.background != "none"):
        raise ManifestError(
            f"{where} has candidates of one label, whose score stands alone: no softmax, no background"
        )


def _check_coding(where: str, scale: Scale, coding: BoxCoding) -> None:
    _check_finite(where, coding)
    if not isinstance(coding, DirectCoding) and not (scale.grids or scale.priors):
        raise ManifestError(f"{where}: boxes are relative to cells, but no grid says where those are")
    units = _units(coding)
    if "anchor" in units and any(not grid.anchors for grid in scale.grids):
        raise ManifestError(f"{where}: boxes are relative to anchors, but a grid has none")
    if "cell" in units and scale.priors:
        raise ManifestError(f"{where}: boxes are relative to cells, but priors have none")
    if scale.size is not None and not (
        isinstance(coding, OffsetCoding) or (isinstance(coding, DirectCoding) and coding.form != "corners")
    ):
        raise ManifestError(f"{where}: a box of this coding has no size that could stand on its own")
    if (scale.box is None) != isinstance(coding, CellCoding):
        raise ManifestError(
            f"{where} says where the numbers of a box stand, but the coding 'cell' has none"
            if scale.box
            else f"{where} does not say where the numbers of a box stand; only the coding 'cell' has none"
        )


def _check_finite(where: str, coding: BoxCoding) -> None:
    numbers = [value for value in structs.astuple(coding) if isinstance(value, float)]
    if not all(math.isfinite(value) for value in numbers):
        raise ManifestError(f"{where}: a number of its coding is not finite")


def _units(coding: BoxCoding) -> tuple[str, ...]:
    """What the numbers of a coding are relative to."""
    if isinstance(coding, OffsetCoding):
        return coding.center_unit, coding.size_unit
    if isinstance(coding, CornerCoding):
        return "anchor", coding.unit
    if isinstance(coding, DistanceCoding):
        return (coding.unit,)
    return ("cell",) if isinstance(coding, CellCoding) else ()


def _check_peaks(where: str, scale: Scale, output: CandidateBoxes) -> None:
    if not output.peaks:
        return
    if output.peaks % 2 == 0:
        raise ManifestError(f"peaks must be an odd number of cells, not {output.peaks}")
    if output.class_activation == "softmax" or scale.objectness is not None or scale.quality is not None:
        raise ManifestError(f"{where}: peaks are of class scores on their own: no softmax, no objectness")
    if "rows" not in scale.classes.axes:
        raise ManifestError(f"{where}: peaks need class scores that stand in rows and columns")


def _check_axes(where: str, part: Part, scale: Scale, *, one_number: bool) -> None:
    axes = [axis for axis in part.axes if axis != "batch"]
    if len(set(axes)) != len(axes):
        raise ManifestError(f"{where}: an axis appears twice in {part.axes}")
    in_grid = {"rows", "columns"} & set(axes)
    in_row = {"candidates", "candidates_values"} & set(axes)
    if bool(in_grid) == bool(in_row) or len(in_grid) == 1 or len(in_row) > 1:
        raise ManifestError(f"{where}: axes must name either rows and columns or candidates, not {part.axes}")
    named = {axis for axis in axes if axis.endswith("values") or axis == "values_anchors"}
    anchored = {axis for axis in axes if axis.startswith("anchors") or axis == "values_anchors"}
    if len(named) > 1 or not (named or one_number) or len(anchored) > 1:
        raise ManifestError(f"{where}: axes must name values, and perhaps anchors, once, not {part.axes}")
    if "candidates_values" in axes and (anchored or not (scale.grids or scale.priors)):
        raise ManifestError(
            f"{where}: a flat row of candidates and values needs grids or priors that say how many "
            "candidates there are, and no axis of anchors"
        )
    if in_grid and len(scale.grids) > 1:
        raise ManifestError(f"{where}: one tensor of rows and columns cannot hold {len(scale.grids)} grids")
    if in_grid and scale.grids and scale.grids[0].order == "column_major":
        raise ManifestError(f"{where}: its axes name rows and columns, so candidates are not column_major")
    if in_grid and scale.priors:
        raise ManifestError(f"{where}: priors are in a row; its axes must name candidates")
    by_anchor = "candidates" in axes and bool(anchored)
    if by_anchor and len({len(grid.anchors) for grid in scale.grids}) != 1:
        raise ManifestError(f"{where}: an axis of anchors needs grids that all have the same number of them")
