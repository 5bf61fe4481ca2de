"""YOLO heads from v3 to v11, and FastestDet, as their exporters write them."""

from __future__ import annotations

import math

from edge_sdk.contract.detector import (
    BoxCoding,
    CandidateBoxes,
    DetectionRows,
    DirectCoding,
    DistanceCoding,
    Grid,
    OffsetCoding,
    Part,
    Scale,
)

from .shapes import GridTensor, HeadModel, as_grid, as_rows, refusal, squeezed

__all__ = ["fastestdet", "finished_rows", "yolov3", "yolov5", "yolov8", "yolox"]

_Anchors = tuple[tuple[float, float], ...]

# Pixels of the input, from the finest grid to the coarsest, by the number of scales: the COCO
# configurations of darknet (yolov3, yolov3-tiny) and of Ultralytics' yolov5 and its P6 models.
_SHARED: tuple[_Anchors, ...] = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)
_ANCHORS_V3: dict[int, tuple[_Anchors, ...]] = {
    2: (((10, 14), (23, 27), (37, 58)), ((81, 82), (135, 169), (344, 319))),
    3: _SHARED,
}
_ANCHORS_V5: dict[int, tuple[_Anchors, ...]] = {
    3: _SHARED,
    4: (
        ((19, 27), (44, 40), (38, 94)),
        ((96, 68), (86, 152), (180, 137)),
        ((140, 301), (303, 264), (238, 542)),
        ((436, 615), (739, 380), (925, 792)),
    ),
}
_BINS = 16


def yolov3(model: HeadModel) -> CandidateBoxes:
    """YOLOv3 and YOLOv3-tiny (Redmon and Farhadi, 2018): raw scales, or decoded by the exporter.

    Raises:
        SpecError: The outputs are not those of this head.
    """
    coding = OffsetCoding(center_activation="sigmoid", size_unit="anchor")
    return _anchored(model, _ANCHORS_V3, coding)


def yolov5(model: HeadModel) -> CandidateBoxes:
    """YOLOv5 (also v7, which decodes alike): raw scales, or decoded by the exporter.

    Raises:
        SpecError: The outputs are not those of this head.
    """
    coding = OffsetCoding(
        center_offset=-0.5,
        center_activation="sigmoid",
        center_scale=2.0,
        size_activation="sigmoid",
        size_scale=2.0,
        size_power=2.0,
        size_unit="anchor",
    )
    return _anchored(model, _ANCHORS_V5, coding)


def yolov8(model: HeadModel) -> CandidateBoxes:
    """YOLOv8 and v11, which have the same head: decoded, or raw distances in 16 bins.

    Raises:
        SpecError: The outputs are not those of this head.
    """
    if len(model.tensors) == 1:
        rows = as_rows(model.tensors[0], 4 + model.n_labels)
        if rows is not None:
            part = Part(tensor=rows.name, axes=rows.axes)
            classes = Part(tensor=rows.name, axes=rows.axes, start=4)
            scale = Scale(box=part, classes=classes)
            return CandidateBoxes(scales=[scale], coding=DirectCoding(form="center_size"))
    values = 4 * _BINS + model.n_labels
    grids = [grid for spec in model.tensors if (grid := as_grid(spec, 1, values)) is not None]
    if not grids or len(grids) != len(model.tensors):
        raise refusal(
            model,
            f"one output of {4 + model.n_labels} values, or grids of {values}, for {model.n_labels} labels",
        )
    return CandidateBoxes(
        scales=[
            Scale(
                box=Part(tensor=grid.name, axes=grid.axes),
                classes=Part(tensor=grid.name, axes=grid.axes, start=4 * _BINS),
                grids=[Grid(rows=grid.rows, columns=grid.columns)],
            )
            for grid in grids
        ],
        coding=DistanceCoding(bins=_BINS),
        class_activation="sigmoid",
    )


def yolox(model: HeadModel) -> CandidateBoxes:
    """YOLOX (Ge et al., 2021), all scales in one output; scores are activated in the model.

    Raises:
        SpecError: The outputs are not those of this head.
    """
    rows = as_rows(model.tensors[0], 5 + model.n_labels) if len(model.tensors) == 1 else None
    grids = [
        Grid(
            rows=math.ceil(model.image.height / stride),
            columns=math.ceil(model.image.width / stride),
            stride=stride,
        )
        for stride in (8.0, 16.0, 32.0)
    ]
    cells = sum(grid.rows * grid.columns for grid in grids)
    if rows is None or rows.candidates != cells:
        raise refusal(model, f"one output of {cells} candidates with {5 + model.n_labels} values")
    scale = Scale(
        box=Part(tensor=rows.name, axes=rows.axes),
        objectness=Part(tensor=rows.name, axes=rows.axes, start=4),
        classes=Part(tensor=rows.name, axes=rows.axes, start=5),
        grids=grids,
    )
    return CandidateBoxes(scales=[scale], coding=OffsetCoding())


def fastestdet(model: HeadModel) -> CandidateBoxes:
    """FastestDet: one grid; objectness and classes are activated in the model.

    Raises:
        SpecError: The outputs are not those of this head.
    """
    grid = as_grid(model.tensors[0], 1, 5 + model.n_labels) if len(model.tensors) == 1 else None
    if grid is None:
        raise refusal(model, f"one grid of {5 + model.n_labels} values for {model.n_labels} labels")
    return CandidateBoxes(
        scales=[
            Scale(
                objectness=Part(tensor=grid.name, axes=grid.axes),
                box=Part(tensor=grid.name, axes=grid.axes, start=1),
                classes=Part(tensor=grid.name, axes=grid.axes, start=5),
                grids=[Grid(rows=grid.rows, columns=grid.columns)],
            )
        ],
        coding=OffsetCoding(center_activation="tanh", size_activation="sigmoid", size_unit="input"),
        objectness_power=0.6,
        class_power=0.4,
    )


def finished_rows(model: HeadModel) -> DetectionRows:
    """YOLOv10, and any YOLO exported with its suppression inside: ``x1, y1, x2, y2, score, class``.

    Raises:
        SpecError: The output is not of this form.
    """
    shape = squeezed(model.tensors[0]) if len(model.tensors) == 1 else ()
    if len(model.tensors) != 1 or model.tensors[0].shape[-1] != 6 or len(shape) > 2:
        raise refusal(model, "one output of rows with 6 values")
    return DetectionRows(tensor=model.tensors[0].name)


def _anchored(
    model: HeadModel, anchors_by_scales: dict[int, tuple[_Anchors, ...]], coding: BoxCoding
) -> CandidateBoxes:
    """One output that the exporter decoded, or raw grids with three anchors each, in any order."""
    values = 5 + model.n_labels
    rows = as_rows(model.tensors[0], values) if len(model.tensors) == 1 else None
    if rows is not None:
        scale = Scale(
            box=Part(tensor=rows.name, axes=rows.axes),
            objectness=Part(tensor=rows.name, axes=rows.axes, start=4),
            classes=Part(tensor=rows.name, axes=rows.axes, start=5),
        )
        return CandidateBoxes(scales=[scale], coding=DirectCoding(form="center_size"))
    grids = [grid for spec in model.tensors if (grid := as_grid(spec, 3, values)) is not None]
    if len(grids) != len(model.tensors) or len(grids) not in anchors_by_scales:
        scales = " or ".join(str(count) for count in anchors_by_scales)
        raise refusal(
            model,
            f"one output of {values} values, or {scales} grids of 3 x {values}, for {model.n_labels} labels",
        )
    fine_to_coarse = sorted(grids, key=lambda grid: -grid.rows * grid.columns)
    anchors = dict(zip((grid.name for grid in fine_to_coarse), anchors_by_scales[len(grids)], strict=True))
    return CandidateBoxes(
        scales=[_anchored_scale(grid, anchors[grid.name]) for grid in grids],
        coding=coding,
        class_activation="sigmoid",
        objectness_activation="sigmoid",
    )


def _anchored_scale(grid: GridTensor, anchors: _Anchors) -> Scale:
    return Scale(
        box=Part(tensor=grid.name, axes=grid.axes),
        objectness=Part(tensor=grid.name, axes=grid.axes, start=4),
        classes=Part(tensor=grid.name, axes=grid.axes, start=5),
        grids=[Grid(rows=grid.rows, columns=grid.columns, anchors=list(anchors))],
    )
