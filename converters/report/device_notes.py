"""What is told of ONNX variants beside their figures: kernels, structure, and whether an engine builds."""

from __future__ import annotations

from collections.abc import Iterator

from edge_sdk.console.told_once import told_once
from edge_sdk.contract.manifest import BuildCheck
from edge_sdk.inference.tensorrt.refusal import refusal_hint

from .kernel_figures import describe_kernels
from .lint_finding import describe_findings
from .report_file import Report, VariantReport

__all__ = ["device_notes", "outcome_of_build"]

_MOST_NAMED = 3
_GIVEN = "onnx"
_MADE = ("onnx-float16", "onnx-int8", "onnx-mixed")


def device_notes(report: Report, *, in_full: bool = False) -> list[str]:
    """A line for each thing that somebody should know, in the order of the variants.

    Args:
        report: Of a conversion.
        in_full: Also what this processor's kernels make of variants that pass with them.
    """
    said = [(item.name, note) for item in report.variants for note in _notes(item, report, in_full=in_full)]
    lines = [f"{names}: {note}" for names, note in told_once(said)]
    built = [item for item in report.variants if item.build_check is not None and item.build_check.passed]
    if built:
        check = built[0].build_check
        names = ", ".join(item.name for item in built)
        lines.append(f"{_tool(check)} builds {names}; that is evidence for TensorRT, and no proof")
    if report.not_built:
        lines.append(f"no ONNX was tried with TensorRT-RTX: {report.not_built}")
    return lines


def outcome_of_build(check: BuildCheck | None) -> str:
    """In one word."""
    return "" if check is None else "builds" if check.passed else "refuses"


def _notes(item: VariantReport, report: Report, *, in_full: bool) -> Iterator[str]:
    kernels = item.default_kernels
    if kernels is not None and (in_full or not kernels.verified):
        yield describe_kernels(kernels)
    yield from describe_findings(item.lint)
    if item.lint and item.name == _GIVEN:
        yield _remedy(item, report)
    check = item.build_check
    if check is not None and not check.passed:
        named = [_refusal(*parts) for parts in ((r.operator, r.node, r.reason) for r in check.refusals)]
        more = [f"and {len(named) - _MOST_NAMED} more"] if len(named) > _MOST_NAMED else []
        told = "; ".join([*named[:_MOST_NAMED], *more])
        yield f"{_tool(check)} refuses it: {told} ({refusal_hint(check.refusals)})"


def _remedy(item: VariantReport, report: Report) -> str:
    """What to do about findings in a model that somebody gave; one that was made here is made as can be."""
    made = [other.name for other in report.variants if other.name in _MADE and other.outcome == "passed"]
    if made:
        return f"for TensorRT take {' or '.join(made)}, made so that it takes them"
    if all(finding.rule == "opset-new" for finding in item.lint):
        return "for TensorRT 8.6 export the model again, with operator set 17"
    return "for TensorRT give the float model, of which onnx-int8 is made so that it takes it"


def _refusal(operator: str, node: str, reason: str) -> str:
    where = f"{operator} '{node}'" if node else operator
    return f"{where}: {reason}" if where else reason


def _tool(check: BuildCheck | None) -> str:
    return "" if check is None else f"{check.tool} {check.version}"
