"""No variant of the matrix is passed over because it is too broken to be measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from converters.variants.recipes import RECIPES
from edge_sdk.contract.manifest import Metric
from edge_sdk.contract.values import Array
from edge_sdk.errors import BackendError, ConversionError, EdgeSdkError
from tools.backend_matrix import measure
from tools.backend_matrix.gate import GateReport, GateVerdict
from tools.backend_matrix.measure import Cell, Row, compare_with, error_against
from tools.backend_matrix.page import matrix_page
from tools.backend_matrix.tolerance import MOST_ROUNDING, standing, unexplained

OUTPUTS = [SimpleNamespace(name="y")]


class Answering:
    """A backend that answers with one value."""

    inputs, outputs = (SimpleNamespace(name="x"),), OUTPUTS

    def __init__(self, value: float) -> None:
        self._value = value

    def infer(self, _tensors: Mapping[str, Array]) -> dict[str, Array]:
        return {"y": np.full((1, 3), self._value, dtype=np.float32)}


def source(value: float) -> Any:
    return SimpleNamespace(
        backend=Answering(value), input=SimpleNamespace(name="x"), outputs=OUTPUTS, name="net"
    )


def read_back(row: Row) -> Row:
    """As it is after it has been a file."""
    return msgspec.json.decode(msgspec.json.encode(row), type=Row)


def row_of(name: str, cell: Cell) -> Row:
    return Row(cells={name: cell}, samples=2)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_answers_that_are_not_finite_are_named(value: float) -> None:
    compared = compare_with(source(1.0), [np.zeros((1, 3), np.float32)] * 2)
    error = error_against(compared, Answering(value))  # type: ignore[arg-type]
    assert error == math.inf
    for errors in ((error, error), (1e-7, error), (error, 1e-7)):
        cell = Cell(precision="float32", error=errors[0], fast_error=errors[1], bytes=1)
        rows = {"digits": read_back(row_of("onnx-float32", cell))}
        assert unexplained(rows, {}) == ["digits: onnx-float32 answers with values that are not finite"]
        assert "| **not finite** |" in matrix_page(rows, {}).partition("## TFLite")[2]


def test_nothing_is_held_against_a_source_that_gives_no_numbers() -> None:
    with pytest.raises(BackendError, match="net answers with values that are not finite in 'y'"):
        compare_with(source(math.nan), [np.zeros((1, 3), np.float32)])


@pytest.mark.parametrize(
    ("error", "faults"),
    [
        (ConversionError("a loop"), []),
        (BackendError("it does not start"), ["digits: onnx-float32 failed: it does not start"]),
    ],
)
def test_a_refusal_is_a_reason_and_any_other_error_a_fault(
    error: EdgeSdkError, faults: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(measure, "build_variant", refuse)
    recipe = RECIPES["onnx-float32"]
    cell = measure.measured_cell(recipe, SimpleNamespace(), [], tmp_path)  # type: ignore[arg-type]
    rows = {"digits": read_back(row_of("onnx-float32", cell))}
    assert unexplained(rows, {}) == faults
    assert (" **failed** [" in matrix_page(rows, {}).partition("## TFLite")[2]) is bool(faults)


def integers(fast_error: float, **others: Cell) -> Row:
    given = Cell(error=0.0, fast_error=fast_error, bytes=1)
    return Row(cells={"tflite": given, **others}, samples=2, integers=True)


def test_a_source_whose_own_kernels_disagree_is_not_measured_by_that() -> None:
    near, further, broken = integers(0.19), integers(0.25), integers(5.0)
    assert standing(near, near.cells["tflite"], None) == "rounds"
    assert standing(further, further.cells["tflite"], None) == "unexplained"
    assert standing(broken, broken.cells["tflite"], None) == "unexplained"
    assert unexplained({"coral": broken}, {}) == ["coral: tflite is off by 5, more than 0.001"]


def test_broken_kernels_of_the_source_excuse_no_other_variant() -> None:
    def of(error: float) -> str:
        cell = Cell(error=error, fast_error=error, bytes=1)
        return standing(integers(5.0, onnx=cell), cell, None)

    assert of(2 * MOST_ROUNDING - 0.01) == "rounds"
    assert of(2 * MOST_ROUNDING + 0.01) == "unexplained"


def test_rounding_hides_no_refusal() -> None:
    cell = Cell(error=0.25, fast_error=0.25, bytes=1)
    metric = Metric(name="accuracy", value=0.3, n=50)
    refused = GateVerdict(
        outcome="refused", reason="the metric drops", metric=metric, drop=0.2, agreement=0.6
    )
    row = integers(0.19, onnx=cell)
    assert standing(row, cell, refused) == "refused"
    gate = GateReport(
        what="photos",
        source_name="reference kernels",
        source=metric,
        max_drop=0.01,
        variants={"onnx": refused},
    )
    page = matrix_page({"coral": row}, {"coral": gate})
    assert "off by 0.25, and the gate refuses it: the metric drops" in page
