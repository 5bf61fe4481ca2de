"""The page of the matrix tells each figure once, and why the others are not there."""

from __future__ import annotations

import pytest

from edge_sdk.contract.manifest import BuildCheck, BuildRefusal, Metric, Precision
from tools.backend_matrix.gate import GateReport, GateVerdict
from tools.backend_matrix.measure import Cell, Row
from tools.backend_matrix.page import matrix_page
from tools.backend_matrix.tolerance import standing, unexplained

DROPS = "the metric drops by 0.0600, more than 0.01"
NO_TFLITE, NO_ONNX = "the source is no .tflite file", "the source is no .onnx file"


def cell(error: float, fast_error: float | None = None, **further: object) -> Cell:
    values = {"error": error, "fast_error": error if fast_error is None else fast_error, "bytes": 1} | further
    return Cell(**values)  # type: ignore[arg-type]


def verdict(value: float, drop: float, reason: str = "") -> GateVerdict:
    metric = Metric(name="accuracy", value=value, n=50)
    return GateVerdict(
        outcome="refused" if reason else "passed", reason=reason, metric=metric, drop=drop, agreement=0.98
    )


ROWS = {
    "digits": Row(
        cells={
            "tflite": Cell(reason=NO_TFLITE),
            "onnx": Cell(reason=NO_ONNX),
            "tflite-float32": cell(1e-7, precision="float32"),
            "tflite-float16": cell(3e-2, precision="float16"),
            "tflite-int8": cell(0.05, 0.3, precision="int8"),
            "tflite-int16x8": cell(0.2, precision="int16x8"),
            "tflite-dynamic": cell(0.3, precision="dynamic"),
            "tflite-mixed": cell(0.05, precision="mixed"),
            "onnx-int8": cell(
                0.099, precision="int8", build=BuildCheck(passed=True, tool="TensorRT-RTX", version="1")
            ),
            "onnx-mixed": cell(
                0.01,
                precision="mixed",
                build=BuildCheck(
                    passed=False,
                    tool="TensorRT-RTX",
                    version="1",
                    refusals=[BuildRefusal(operator="Loop", node="a", reason="no")],
                ),
            ),
        },
        samples=25,
    ),
    "resnet50": Row(cells={"onnx-int8": cell(0.5, precision="int8")}, samples=4),
    "coral": Row(
        cells={
            "tflite": cell(0.0, 0.19),
            "onnx": cell(0.25),
            "onnx-float16": cell(0.32, precision="float16"),
            "onnx-int8": cell(0.5, precision="int8"),
        },
        samples=13,
        integers=True,
    ),
}
GATES = {
    "digits": GateReport(
        what="digits",
        source_name="float source",
        source=Metric(name="accuracy", value=0.96, n=50, low=0.86, high=0.99),
        max_drop=0.01,
        variants={
            "tflite-float16": verdict(0.96, 0.0),
            "tflite-int8": verdict(
                0.9, 0.06, "the metric drops by 0.0600, more than 0.01; furthest off: 7.png"
            ),
            "tflite-dynamic": GateVerdict(outcome="left_out", reason="it does not start"),
            "tflite-mixed": verdict(0.9, 0.06, DROPS),
            "tflite": GateVerdict(outcome="left_out", reason=NO_TFLITE),
            "onnx": GateVerdict(outcome="left_out", reason=NO_ONNX),
        },
    ),
    "coral": GateReport(
        what="photos",
        source_name="reference kernels",
        source=Metric(name="accuracy", value=0.5, n=40),
        max_drop=0.01,
        variants={"tflite": verdict(0.5, 0.0), "onnx": verdict(0.5, 0.0), "onnx-int8": verdict(0.5, 0.0)},
    ),
}
GATE_OF_DIGITS = "#the-gate-digits-cnn-from-scratch"


@pytest.fixture(scope="module")
def page() -> str:
    return matrix_page(ROWS, GATES)


def line_of(page: str, start: str, after: str = "") -> list[str]:
    """The cells of the first row that starts so, below a heading."""
    lines = page[page.index(after) :].splitlines()
    row = next(line for line in lines if line.startswith(f"| {start}"))
    return [part.strip() for part in row.strip("|").split("|")]


def cells_by_column(page: str, model: str, heading: str) -> dict[str, str]:
    columns = line_of(page, "Model", f"\n## {heading}\n")
    return dict(zip(columns, line_of(page, model, f"\n## {heading}\n"), strict=True))


def test_each_column_of_errors_has_its_tolerance_above_it(page: str) -> None:
    columns = line_of(page, "Model", "\n## TFLite\n")
    assert columns[3:] == [
        "float32 ≤ 0.0001",
        "float16 ≤ 0.02",
        "dynamic ≤ 0.1",
        "int8 ≤ 0.1",
        "mixed ≤ 0.1",
        "int16x8 ≤ 0.1",
        "as given ≤ 0.001",
    ]


def reason_of(page: str, cell_text: str) -> str:
    """What the number in brackets at the end of a cell stands for."""
    number = cell_text[cell_text.rindex("[") + 1 : cell_text.rindex("]")]
    return next(line.partition(". ")[2] for line in page.splitlines() if line.startswith(f"{number}. "))


def test_an_error_within_the_tolerance_stands_alone(page: str) -> None:
    assert cells_by_column(page, "Digits", "TFLite")["float32 ≤ 0.0001"] == "1e-07"
    assert cells_by_column(page, "Digits", "ONNX")["int8 ≤ 0.1"] == "0.099"


def test_what_agrees_and_decides_worse_is_told(page: str) -> None:
    assert cells_by_column(page, "Digits", "TFLite")["mixed ≤ 0.1"] == f"0.05 [refused]({GATE_OF_DIGITS})"


def test_an_error_over_the_tolerance_leads_to_the_gate_that_keeps_it(page: str) -> None:
    cells = cells_by_column(page, "Digits", "TFLite")
    assert cells["float16 ≤ 0.02"] == f"0.03 [kept]({GATE_OF_DIGITS})"
    assert "### The gate: Digits, CNN from scratch\n" in page


def test_what_is_off_and_refused_is_no_variant_and_says_why(page: str) -> None:
    cells = cells_by_column(page, "Digits", "TFLite")
    assert reason_of(page, cells["int8 ≤ 0.1"]) == (
        "off by 0.3, and the gate refuses it: the metric drops by 0.0600, more than 0.01"
    )
    assert reason_of(page, cells["dynamic ≤ 0.1"]) == "it does not start"
    assert "7.png" not in page


def test_where_the_gate_was_not_asked_an_error_over_the_tolerance_stands_out(page: str) -> None:
    assert cells_by_column(page, "Digits", "TFLite")["int16x8 ≤ 0.1"] == "**0.2**"
    assert cells_by_column(page, "ResNet50", "ONNX")["int8 ≤ 0.1"] == "**0.5**"


def test_the_rounding_of_a_quantized_source_is_a_yardstick(page: str) -> None:
    cells = cells_by_column(page, "MobileNetV2 of Coral", "ONNX")
    assert cells["as given ≤ 0.001"].startswith("0.25 rounds [")
    assert "are 0.19 apart" in reason_of(page, cells["as given ≤ 0.001"])
    assert cells["float16 ≤ 0.02"].startswith("0.32 rounds [")
    assert cells["int8 ≤ 0.1"] == "0.5 [kept](#the-gate-mobilenetv2-of-coral-uint8)"


def test_what_nothing_speaks_for_is_named(page: str) -> None:
    assert unexplained(ROWS, GATES) == [
        "digits: tflite-int16x8 is off by 0.2, more than 0.1",
        "resnet50: onnx-int8 is off by 0.5, more than 0.1",
    ]


@pytest.mark.parametrize("precision", ["float32", "as_given"])
def test_of_a_float_source_the_same_model_is_not_judged_by_its_decisions(precision: Precision) -> None:
    off = cell(0.01, precision=precision)
    row = Row(cells={"onnx": off}, samples=1)
    assert standing(row, off, verdict(0.96, 0.0)) == "unexplained"
    assert standing(row, cell(1e-5, precision=precision), None) == "agrees"


def test_the_gate_shows_the_source_and_each_variant_with_its_drop(page: str) -> None:
    section = page[page.index("### The gate: Digits") :]
    assert "Judged on 50 digits. Budget 0.01." in section
    assert line_of(section, "float source") == ["float source", "0.9600 (0.860-0.990)", "", "", ""]
    assert line_of(section, "tflite-float16") == ["tflite-float16", "0.9600", "+0.0000", "0.9800", "kept"]


def test_a_refusal_names_its_reason(page: str) -> None:
    *figures, gate = line_of(page[page.index("### The gate: Digits") :], "tflite-int8")
    assert figures == ["tflite-int8", "0.9000", "+0.0600", "0.9800"]
    number = gate.removeprefix("**refused** [").removesuffix("]")
    assert f"\n{number}. the metric drops by 0.0600, more than 0.01\n" in page


def test_what_was_not_made_shares_its_reason_with_the_tables(page: str) -> None:
    empty = cells_by_column(page, "Digits", "TFLite")["as given ≤ 0.001"]
    assert f"; tflite {empty}; onnx [" in page
    assert page.count(NO_TFLITE) == 1


def test_networks_of_random_weights_are_not_judged(page: str) -> None:
    assert (
        "Not asked of ResNet50, random weights: "
        "a network of random weights makes no decisions that could be judged." in page
    )


def test_what_the_builder_refuses_is_named(page: str) -> None:
    cells = cells_by_column(page, "Digits", "ONNX with TensorRT-RTX's parser and builder")
    assert cells["int8"] == "builds"
    unasked = cells_by_column(page, "ResNet50", "ONNX with TensorRT-RTX's parser and builder")["int8"]
    assert f"\n{unasked.strip('[]')}. TensorRT-RTX did not answer\n" in page
    number = cells["mixed"].removeprefix("refused [").removesuffix("]")
    assert f"\n{number}. Loop 'a': no\n" in page


def test_models_that_were_not_measured_are_named(page: str) -> None:
    told = next(line for line in page.splitlines() if line.startswith("Not measured in the run"))
    assert "YAMNet" in told
    assert "Digits" not in told


def test_without_verdicts_there_is_no_section_of_them() -> None:
    page = matrix_page(ROWS, {})
    assert "\n## What the gate says" not in page
    assert cells_by_column(page, "Digits", "TFLite")["float16 ≤ 0.02"] == "**0.03**"
