"""A grid that does not fill its input in whole pixels: the spec must say how large a cell is."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.spec.spec_file import load_spec
from edge_sdk.contract.detector import DetectionOutput
from edge_sdk.errors import SpecError

_SPEC = """
name = "things"
version = "1.0.0"
task = "detect"
label_set = "coco"
[default_rule]
threshold = 0.5
[image]
width = {width}
height = {height}
preprocessing = "unit"
[detector]
decoder = "candidate_boxes"
coding = {{ coding = "{coding}" }}
[[detector.scales]]
box = {{ axes = ["batch", "values", "rows", "columns"] }}
classes = {{ axes = ["batch", "values", "rows", "columns"], start = 4 }}
grids = [{{ {grid} }}]
"""


def complete(folder: Path, width: int, height: int, grid: str, coding: str = "distance") -> DetectionOutput:
    path = folder / "things.toml"
    path.write_text(_SPEC.format(width=width, height=height, grid=grid, coding=coding))
    spec = load_spec(path)
    return spec.detector.complete(spec.image, len(spec.labels), ())


def test_a_grid_of_broken_pixels_needs_a_stride_and_is_told_which(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"a cell would be 14\.29 x 14\.29 pixels") as caught:
        complete(tmp_path, 100, 100, "rows = 7, columns = 7")
    assert "stride = 16, if it halves" in str(caught.value.hint)
    assert "stride = 14.2857 where the cells do fill the input" in str(caught.value.hint)


def test_cells_that_are_no_squares_cannot_fill_it_by_one_stride(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"14\.29 x 15 pixels") as caught:
        complete(tmp_path, 100, 60, "rows = 4, columns = 7")
    assert "fill" not in str(caught.value.hint)


@pytest.mark.parametrize("stride", ["16", "14.2857"])
def test_a_stride_that_is_given_is_taken(tmp_path: Path, stride: str) -> None:
    complete(tmp_path, 100, 100, f"rows = 7, columns = 7, stride = {stride}")


def test_where_cells_are_whole_pixels_or_boxes_no_offsets_none_is_needed(tmp_path: Path) -> None:
    complete(tmp_path, 100, 60, "rows = 3, columns = 5")
    complete(tmp_path, 100, 100, "rows = 7, columns = 7", coding="direct")
