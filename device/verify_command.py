"""``edge-sdk verify BUNDLE``: is the file whole, and does this machine compute what it should?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from edge_sdk.console.foreign_text import json_text, printable
from edge_sdk.console.table import text_table
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Variant
from edge_sdk.errors import EdgeSdkError, MissingExtraError
from edge_sdk.inference.golden import GoldenResult, run_golden
from edge_sdk.inference.open import choose_variant, open_backend
from edge_sdk.inference.thread_argument import add_threads_argument

__all__ = ["VariantReport", "add_arguments", "run", "verify_variant"]


_NOT_CHECKED = 2


class VariantReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one variant.

    Attributes:
        status: ``passed``; ``failed``; or ``not_run``, where its engine is not installed.
        golden: What the golden samples gave, where they could be run.
        reason: Why it failed or was not run.
    """

    variant: str
    status: str
    golden: GoldenResult | None = None
    reason: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .edge file")
    parser.add_argument("--variant", metavar="V", help="only this variant; by default all")
    add_threads_argument(parser)
    parser.add_argument(
        "--require-sha256", metavar="HEX", help="digest of the bundle as its maker published it"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Verify the bundle.

    Returns:
        0 where every variant that could be run passed, and at least one could; 2 where none could, and
        nothing was checked; else 1.
    """
    bundle = Bundle.open(arguments.bundle, require_sha256=arguments.require_sha256)
    manifest = bundle.manifest
    variants = [choose_variant(manifest, arguments.variant)] if arguments.variant else manifest.variants
    reports = [verify_variant(bundle, variant, threads=arguments.threads) for variant in variants]
    passed = _passed(reports)
    if arguments.json:
        print(json_text(_document(bundle, reports, passed=passed)))
    else:
        print(printable(_text(bundle, reports, passed=passed), lines=True))
    return 0 if passed else _NOT_CHECKED if _nothing_run(reports) else 1


def verify_variant(bundle: Bundle, variant: Variant, *, threads: int = 1) -> VariantReport:
    """Run the golden samples on one variant; what goes wrong is in the report.

    Args:
        bundle: Verified.
        variant: One of its variants.
        threads: Threads that one inference may use.
    """
    try:
        model = bundle.read(variant.file)
        with open_backend(model, variant.format, threads=threads, name=variant.name) as backend:
            result = run_golden(bundle, variant.name, backend)
    except MissingExtraError as error:
        return VariantReport(variant=variant.name, status="not_run", reason=str(error))
    except EdgeSdkError as error:
        return VariantReport(variant=variant.name, status="failed", reason=str(error))
    return VariantReport(
        variant=variant.name,
        status="passed" if result.passed else "failed",
        golden=result,
        reason=None if result.passed else _difference(result),
    )


def _passed(reports: list[VariantReport]) -> bool:
    statuses = {report.status for report in reports}
    return "failed" not in statuses and "passed" in statuses


def _nothing_run(reports: list[VariantReport]) -> bool:
    return all(report.status == "not_run" for report in reports)


def _difference(result: GoldenResult) -> str:
    text = (
        f"sample {result.worst_sample}, label '{result.worst_label_id}': off by "
        f"{result.max_abs_difference:.6f}, allowed {result.bound:.6f}"
    )
    flips = [
        f"sample {flip.sample}, label '{flip.label_id}': {flip.score:.4f} for {flip.expected:.4f} "
        f"(threshold {flip.threshold:g})"
        for flip in result.flipped
    ]
    if result.labels_reordered:
        text = "the model file lists the labels in another order than the manifest"
    return "\n".join([text, *(f"decision differs at {flip}" for flip in flips)])


def _document(bundle: Bundle, reports: list[VariantReport], *, passed: bool) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "bundle": {"name": manifest.name, "version": manifest.version, "sha256": bundle.sha256},
        "signed": False,
        "passed": passed,
        "variants": [msgspec.to_builtins(report) for report in reports],
    }


def _text(bundle: Bundle, reports: list[VariantReport], *, passed: bool) -> str:
    manifest = bundle.manifest
    rows = [
        [
            report.variant,
            report.status.replace("_", " "),
            *(_figures(report.golden) if report.golden else ["-", "-", "-", "-"]),
        ]
        for report in reports
    ]
    headings = ["variant", "golden samples", "n", "max difference", "bound", "flipped"]
    lines = [
        f"{manifest.name} {manifest.version}: {len(manifest.files)} digests right, unsigned",
        f"sha256 {bundle.sha256}",
        "",
        text_table(headings, rows, numbers=[2, 3, 4, 5]),
    ]
    for report in reports:
        if report.reason:
            lines += ["", f"{report.variant} {report.status.replace('_', ' ')}: {report.reason}"]
    return "\n".join([*lines, "", _verdict(reports, passed=passed)])


def _verdict(reports: list[VariantReport], *, passed: bool) -> str:
    if passed:
        return "passed: this machine computes what the workstation did"
    if _nothing_run(reports):
        return "not checked: nothing is installed here that could run it"
    return "failed: do not trust it on this machine"


def _figures(golden: GoldenResult) -> list[str]:
    return [
        str(golden.n),
        f"{golden.max_abs_difference:.2e}",
        f"{golden.bound:.1e}",
        str(len(golden.flipped)),
    ]
