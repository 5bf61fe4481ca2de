"""Specs that fit a detector's tensors and are wrong all the same: refused, with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from conversions import convert_in, report_of
from square_detectors import (
    SQUARE_GRID,
    square_boxes,
    square_model,
    write_squares,
    write_squares_spec,
)

from edge_sdk.errors import SpecError

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
