"""What is told of ONNX variants beside their figures."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from converters.report.device_notes import device_notes, outcome_of_build
from converters.report.kernel_figures import KernelFigures, describe_kernels
from converters.report.lint_finding import RULES, LintFinding
from converters.report.report_file import PictureSummary, Report, VariantReport
from edge_sdk.contract.manifest import BuildCheck, BuildRefusal, Provenance, SourceFile

FIGURES = KernelFigures(
    drop=0.01, agreement=0.975, max_abs_difference=0.2, golden_difference=0.3, verified=False, saturates=True
)
BUILT = BuildCheck(tool="TensorRT-RTX", version="1.7.1.116", passed=True)


def refused(n: int) -> BuildCheck:
    refusals = [BuildRefusal(operator="Unique", node=f"u{index}", reason="no importer") for index in range(n)]
    return BuildCheck(tool="TensorRT-RTX", version="1.7.1.116", passed=False, refusals=refusals)


def report(*variants: VariantReport, not_built: str = "") -> Report:
    summary = PictureSummary(
        pictures=1, pictures_by_label={}, background_pictures=0, labels_without_pictures=[]
    )
    return Report(
        name="x",
        version="1.0.0",
        metric_meaning="",
        max_drop=0.01,
        evaluation=summary,
        source=VariantReport(name="float source", outcome="passed"),
        variants=list(variants),
        golden_samples=[],
        warnings=[],
        provenance=Provenance(
            source_models=[], evaluation=SourceFile(name="e", sha256="0" * 64), libraries={}
        ),
        not_built=not_built,
    )


def test_without_onnx_there_is_nothing_to_tell() -> None:
    assert device_notes(report(VariantReport(name="tflite-int8", outcome="passed"))) == []


def test_variants_that_build_share_a_line_and_each_refusal_has_its_own() -> None:
    refusal, built = device_notes(
        report(
            VariantReport(name="onnx-float32", outcome="passed", build_check=BUILT),
            VariantReport(name="onnx-int8", outcome="passed", build_check=refused(5)),
            VariantReport(name="onnx-float16", outcome="passed", build_check=BUILT),
        )
    )
    assert refusal == (
        "onnx-int8: TensorRT-RTX 1.7.1.116 refuses it: Unique 'u0': no importer; Unique 'u1': no importer; "
        "Unique 'u2': no importer; and 2 more (ONNX Runtime runs it all the same; for TensorRT export the "
        "model without Unique)"
    )
    assert built.startswith("TensorRT-RTX 1.7.1.116 builds onnx-float32, onnx-float16; ")


@pytest.mark.parametrize(
    ("rules", "made", "remedy"),
    [
        (("zero-point", "unsigned"), (), "give the float model"),
        (("opset-new",), (), "with operator set 17"),
        (("opset-new", "zero-point"), (), "give the float model"),
        (("zero-point",), ("onnx-float16", "onnx-int8"), "take onnx-float16 or onnx-int8"),
    ],
)
def test_what_is_found_in_a_given_model_comes_with_a_remedy(
    rules: tuple[str, ...], made: tuple[str, ...], remedy: str
) -> None:
    lint = [LintFinding(rule=rule, what="x") for rule in rules]
    given = VariantReport(name="onnx", outcome="passed", lint=lint)
    *findings, last = device_notes(
        report(given, *(VariantReport(name=name, outcome="passed") for name in made))
    )
    assert len(findings) == len(rules)
    assert remedy in last


def test_what_is_found_in_what_was_made_here_has_none() -> None:
    lint = [LintFinding(rule="residual-float", what="x")]
    assert len(device_notes(report(VariantReport(name="onnx-int8", outcome="passed", lint=lint)))) == 1


def test_what_is_the_same_of_several_variants_is_told_once() -> None:
    (line,) = device_notes(
        report(
            VariantReport(name="onnx-float32", outcome="passed", build_check=refused(1)),
            VariantReport(name="onnx-float16", outcome="passed", build_check=refused(1)),
        )
    )
    assert line.startswith("onnx-float32, onnx-float16: TensorRT-RTX 1.7.1.116 refuses it: Unique 'u0': ")


def test_default_kernels_are_told_where_they_do_not_pass_and_in_full_anyway() -> None:
    within = structs.replace(FIGURES, verified=True)
    passing = report(VariantReport(name="onnx-int8", outcome="passed", default_kernels=within))
    assert device_notes(passing) == []
    assert device_notes(passing, in_full=True)[0].startswith("onnx-int8: by ONNX Runtime's default kernels")
    beyond = report(VariantReport(name="onnx-int8", outcome="passed", default_kernels=FIGURES))
    assert device_notes(beyond)[0].endswith("`edge-sdk verify` refuses it here")


def test_that_nobody_asked_is_told() -> None:
    lines = device_notes(
        report(VariantReport(name="onnx", outcome="passed"), not_built="it is not installed")
    )
    assert lines == ["no ONNX was tried with TensorRT-RTX: it is not installed"]


def test_findings_are_told_by_variant() -> None:
    finding = LintFinding(rule="zero-point", operator="QuantizeLinear", node="q", what="its zero point is 3")
    line, _ = device_notes(report(VariantReport(name="onnx", outcome="passed", lint=[finding])))
    assert line.startswith("onnx: zero-point: QuantizeLinear 'q': its zero point is 3 (")


def test_kernels_beyond_the_bound_and_saturating_ones_are_told() -> None:
    told = describe_kernels(FIGURES)
    assert "drop +0.0100, agreement 0.9750, golden samples off by 3.0e-01" in told
    assert "int8 instructions saturate" in told
    assert told.endswith("`edge-sdk verify` refuses it here")


def test_the_outcome_of_a_build_is_one_word() -> None:
    assert [outcome_of_build(check) for check in (None, BUILT, refused(1))] == ["", "builds", "refuses"]


def test_the_page_on_precision_has_every_rule_of_the_lint(project: Path) -> None:
    page = (project / "docs/explanation/onnx-precision.md").read_text("utf-8")
    for rule, meaning in RULES.items():
        assert f"| `{rule}` | {meaning} |" in page
