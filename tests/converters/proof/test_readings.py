"""The other ways to read a detector: what a spec may have wrong while it fits the tensors."""

from __future__ import annotations

from converters.proof.readings import other_readings
from edge_sdk.contract.detector import (
    Axis,
    CandidateBoxes,
    DetectionRows,
    DetectionTensors,
    DirectCoding,
    DistanceCoding,
    Grid,
    OffsetCoding,
    Part,
    Scale,
)
from edge_sdk.contract.detector_checks import check_detector
from edge_sdk.contract.image import ImageInput

_IMAGE = ImageInput(width=100, height=100, std=(255.0,))


def cells(coding: OffsetCoding | DistanceCoding, *grids: Grid) -> CandidateBoxes:
    axes: list[Axis] = ["batch", "values", "candidates"]
    scale = Scale(box=Part(axes=axes), classes=Part(axes=axes, start=4), grids=list(grids))
    return CandidateBoxes(scales=[scale], coding=coding)


def test_forms_orders_and_units_of_direct_boxes_are_combined() -> None:
    output = DetectionRows()
    readings = other_readings(output, _IMAGE)
    changed = readings["coding.form = 'center_size' and coding.order = 'yx' and coding.units = 'shares'"]
    assert isinstance(changed, DetectionRows)
    assert changed.coding == DirectCoding(form="center_size", order="yx", units="shares")
    assert output not in readings.values()


def test_finished_boxes_may_count_classes_from_elsewhere_or_have_their_columns_exchanged() -> None:
    rows = other_readings(DetectionRows(), _IMAGE)
    assert rows["first_class = 1"] == DetectionRows(first_class=1)
    assert rows["score_column = 5 and class_column = 4"] == DetectionRows(score_column=5, class_column=4)
    tensors = DetectionTensors(boxes="b", classes="c", scores="s", first_class=1)
    assert "first_class = 0" in other_readings(tensors, _IMAGE)


def test_a_stride_is_a_power_of_two_that_covers_the_input() -> None:
    readings = other_readings(cells(DistanceCoding(), Grid(rows=7, columns=7, stride=14.3)), _IMAGE)
    changed = readings["stride = 16 in its grids"]
    assert isinstance(changed, CandidateBoxes)
    assert changed.scales[0].grids[0].stride == 16


def test_several_grids_may_come_the_other_way_round() -> None:
    grids = Grid(rows=13, columns=13, stride=8), Grid(rows=7, columns=7, stride=16)
    changed = other_readings(cells(OffsetCoding(), *grids), _IMAGE)["its grids in reverse order"]
    assert isinstance(changed, CandidateBoxes)
    assert [grid.rows for grid in changed.scales[0].grids] == [7, 13]


def test_a_scale_with_a_coding_of_its_own_is_read_otherwise_too() -> None:
    output = cells(OffsetCoding(), Grid(rows=5, columns=5))
    own = Scale(box=output.scales[0].box, classes=output.scales[0].classes, coding=OffsetCoding(size_scale=2))
    own = Scale(box=own.box, classes=own.classes, coding=own.coding, grids=output.scales[0].grids)
    changed = other_readings(CandidateBoxes(scales=[own], coding=output.coding), _IMAGE)[
        "coding.order = 'yx'"
    ]
    assert isinstance(changed, CandidateBoxes)
    assert changed.scales[0].coding == OffsetCoding(size_scale=2, order="yx")


def test_no_reading_contradicts_itself() -> None:
    readings = other_readings(cells(OffsetCoding(), Grid(rows=10, columns=20)), _IMAGE)
    for output in readings.values():
        check_detector(output, _IMAGE)
    assert not [name for name in readings if "anchor" in name]  # there are none
