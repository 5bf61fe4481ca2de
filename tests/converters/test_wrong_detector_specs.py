"""Specs that fit a detector's tensors and are wrong all the same: refused, with what to write instead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conversions import convert_in, report_of
from square_detectors import (
    SQUARE_CANDIDATES,
    SQUARE_GRID,
    square_boxes,
    square_model,
    write_squares,
    write_squares_spec,
)

from edge_sdk.errors import BackendError, SpecError

_TENSORS = "\n  takes 'x' float32 [1, 3, 48, 64]\n  gives 'y' float32 [1, 7, 48]"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("squares")
    write_squares(folder / "evaluation")
    for form in ("corners, yx, shares", "corners, yx, pixels", "center_size, xy, shares"):
        (folder / f"{form}.onnx").write_bytes(square_model(square_boxes(form), sigmoid=True))
    for name, sigmoid in (("scores.onnx", True), ("logits.onnx", False)):
        (folder / name).write_bytes(square_model(square_boxes("distances"), sigmoid=sigmoid))
    return folder


def distances(activation: str) -> str:
    return f'class_activation = "{activation}"\ncoding = {{ coding = "distance" }}\n{SQUARE_GRID}'


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_an_activation_on_top_of_the_models_own_is_refused(
    place: Path, tmp_path: Path, activation: str
) -> None:
    spec = write_squares_spec(tmp_path / "x.toml", distances(activation))
    with pytest.raises(SpecError, match=r"gives class scores of 0\.\.1 already") as caught:
        convert_in(place, "scores.onnx", tmp_path / "x.edge", spec=spec)
    assert f"class_activation = '{activation}' would be applied on top" in caught.value.message
    assert caught.value.message.endswith(_TENSORS)
    assert str(caught.value.hint).startswith("set class_activation = 'none' under [detector]; or")


def test_a_second_activation_can_be_accepted_with_a_reason(place: Path, tmp_path: Path) -> None:
    accepted = '[detector.accept]\nclass_activation = "as its authors decode it"\n'
    spec = write_squares_spec(tmp_path / "x.toml", distances("sigmoid") + accepted)
    bundle = convert_in(place, "scores.onnx", tmp_path / "x.edge", spec=spec)
    (kept,) = bundle.manifest.provenance.accepted
    assert (kept.key, kept.reason) == ("class_activation", "as its authors decode it")


def test_a_reason_that_is_not_needed_is_told(place: Path, tmp_path: Path) -> None:
    accepted = '[detector.accept]\nlabels = "old"\n'
    spec = write_squares_spec(tmp_path / "x.toml", distances("none") + accepted)
    warnings = report_of(convert_in(place, "scores.onnx", tmp_path / "x.edge", spec=spec))["warnings"]
    assert "[detector.accept] labels is not needed: nothing contradicts it" in warnings


def test_only_what_may_be_contradicted_can_be_accepted(place: Path, tmp_path: Path) -> None:
    spec = write_squares_spec(tmp_path / "x.toml", distances("none") + '[detector.accept]\ngrids = "yes"\n')
    with pytest.raises(SpecError, match=r"\[detector\.accept\].*grids"):
        convert_in(place, "scores.onnx", tmp_path / "x.edge", spec=spec)


def test_logits_taken_for_scores_are_told_with_all_tensors(place: Path, tmp_path: Path) -> None:
    spec = write_squares_spec(tmp_path / "x.toml", distances("none"))
    with pytest.raises(SpecError, match="where a score from 0 to 1 should be") as caught:
        convert_in(place, "logits.onnx", tmp_path / "x.edge", spec=spec)
    assert caught.value.exit_code == 2
    assert caught.value.message.endswith(_TENSORS)
    assert "sigmoid" in str(caught.value.hint)


def direct(form: str, order: str, units: str) -> str:
    coding = f'coding = "direct", form = "{form}", order = "{order}", units = "{units}"'
    return f"coding = {{ {coding} }}\n{SQUARE_CANDIDATES}"


@pytest.mark.parametrize(
    ("model", "form", "order", "units", "named"),
    [
        ("corners, yx, shares", "corners", "xy", "shares", "coding.order = 'yx'"),
        ("corners, yx, pixels", "corners", "xy", "pixels", "coding.order = 'yx'"),
        ("corners, yx, pixels", "corners", "yx", "shares", "coding.units = 'pixels'"),
        ("corners, yx, shares", "corner_size", "yx", "shares", "coding.form = 'corners'"),
        ("center_size, xy, shares", "corner_size", "xy", "shares", "coding.form = 'center_size'"),
        (
            "corners, yx, shares",
            "center_size",
            "xy",
            "pixels",
            "coding.form = 'corners' and coding.order = 'yx' and coding.units = 'shares'",
        ),
    ],
)
def test_a_wrong_reading_of_boxes_is_refused_and_the_right_one_named(
    place: Path, tmp_path: Path, model: str, form: str, order: str, units: str, named: str
) -> None:
    spec = write_squares_spec(tmp_path / "x.toml", direct(form, order, units))
    with pytest.raises(SpecError, match=r"mAP50 is 1\.000 \(mAP50-95 1\.000\)") as caught:
        convert_in(place, f"{model}.onnx", tmp_path / "x.edge", spec=spec)
    assert f"with {named}, mAP50 is 1.000" in caught.value.message
    assert f"set under [detector] {named}" in str(caught.value.hint)
    assert caught.value.message.endswith(_TENSORS)


@pytest.mark.parametrize(
    ("model", "form", "order", "units"),
    [
        ("corners, yx, shares", "corners", "yx", "shares"),
        ("corners, yx, pixels", "corners", "yx", "pixels"),
        ("center_size, xy, shares", "center_size", "xy", "shares"),
    ],
)
def test_of_the_right_reading_nothing_is_said(
    place: Path, tmp_path: Path, model: str, form: str, order: str, units: str
) -> None:
    spec = write_squares_spec(tmp_path / "x.toml", direct(form, order, units))
    bundle = convert_in(place, f"{model}.onnx", tmp_path / "x.edge", spec=spec)
    assert bundle.manifest.variants[0].metric.value == pytest.approx(1.0)
    assert [line for line in report_of(bundle)["warnings"] if "spec" in line or "exchanged" in line] == []


def test_a_middle_half_a_cell_off_is_refused(place: Path, tmp_path: Path) -> None:
    detector = distances("none").replace('"distance"', '"distance", center_offset = 0.0')
    spec = write_squares_spec(tmp_path / "x.toml", detector)
    with pytest.raises(SpecError, match=r"with coding\.center_offset = 0\.5, mAP50 is 1\.000"):
        convert_in(place, "scores.onnx", tmp_path / "x.edge", spec=spec)


def test_exchanged_labels_are_refused_and_named(place: Path, tmp_path: Path) -> None:
    spec = write_squares_spec(tmp_path / "x.toml", distances("none"), "red", "blue", "green")
    with pytest.raises(SpecError, match=r"what it calls 'blue' is 'green' \((\d+) of \1 boxes\)") as caught:
        convert_in(place, "scores.onnx", tmp_path / "x.edge", spec=spec)
    assert "what it calls 'green' is 'blue'" in caught.value.message
    assert "named so mAP50 is 1.000" in caught.value.message
    assert "'red' is" not in caught.value.message


def test_labels_that_are_moved_by_one_are_told_as_such(place: Path, tmp_path: Path) -> None:
    spec = write_squares_spec(tmp_path / "x.toml", distances("none"), "nothing", "red", "green")
    write_squares(tmp_path / "evaluation", names=("red", "green"))
    with pytest.raises(SpecError, match="what it calls 'red' is 'green'") as caught:
        convert_in(place, "scores.onnx", tmp_path / "x.edge", spec=spec, evaluation=tmp_path / "evaluation")
    assert "all these are moved by +1: is a background counted" in str(caught.value.hint)


def test_a_reading_and_labels_can_be_accepted_with_a_reason(place: Path, tmp_path: Path) -> None:
    accepted = '[detector.accept]\ndecoding = "boxes are turned"\nlabels = "they are"\n'
    spec = write_squares_spec(tmp_path / "x.toml", direct("corners", "xy", "shares") + accepted)
    bundle = convert_in(place, "corners, yx, shares.onnx", tmp_path / "x.edge", spec=spec)
    (kept,) = bundle.manifest.provenance.accepted
    assert (kept.key, kept.reason) == ("decoding", "boxes are turned")
    assert "with coding.order = 'yx', mAP50 is 1.000" in kept.finding


def test_sizes_read_as_corners_leave_out_boxes_which_is_counted(place: Path, tmp_path: Path) -> None:
    spec = write_squares_spec(tmp_path / "x.toml", direct("corners", "xy", "shares"))
    with pytest.raises(SpecError, match=r"\d+ of 24 boxes over their threshold in 8 pictures are left out"):
        convert_in(place, "center_size, xy, shares.onnx", tmp_path / "x.edge", spec=spec)


def test_many_turned_boxes_are_refused_though_others_are_right(place: Path, tmp_path: Path) -> None:
    """As of a network that gives corners in another order in half of its rows: no reading is right."""
    boxes = square_boxes("corners, yx, shares")
    boxes[:, ::2] = boxes[[2, 3, 0, 1], ::2]
    (tmp_path / "x.onnx").write_bytes(square_model(boxes, sigmoid=True))
    spec = write_squares_spec(tmp_path / "x.toml", direct("corners", "yx", "shares"))
    with pytest.raises(SpecError, match="second corner is left of the first or above it") as caught:
        convert_in(place, tmp_path / "x.onnx", tmp_path / "x.edge", spec=spec)
    assert "coding.form = 'center_size' or 'corner_size'?" in caught.value.message


def test_a_few_turned_boxes_are_told(place: Path, tmp_path: Path) -> None:
    boxes = square_boxes("corners, yx, shares")
    boxes[:, 0] = boxes[[2, 3, 0, 1], 0]
    (tmp_path / "x.onnx").write_bytes(square_model(boxes, sigmoid=True))
    spec = write_squares_spec(tmp_path / "x.toml", direct("corners", "yx", "shares"))
    warnings = report_of(convert_in(place, tmp_path / "x.onnx", tmp_path / "x.edge", spec=spec))["warnings"]
    assert [line for line in warnings if "are left out, because their second corner" in line]


def test_numbers_that_are_not_finite_are_the_models_fault(place: Path, tmp_path: Path) -> None:
    boxes = square_boxes("distances")
    boxes[0] = np.nan
    (tmp_path / "x.onnx").write_bytes(square_model(boxes, sigmoid=True))
    spec = write_squares_spec(tmp_path / "x.toml", distances("none"))
    with pytest.raises(BackendError, match="nan, not a finite number") as caught:
        convert_in(place, tmp_path / "x.onnx", tmp_path / "x.edge", spec=spec)
    assert caught.value.exit_code == 1
