"""``edge-sdk verify BUNDLE``: is the file whole, and does this machine compute what it should?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from edge_sdk.console.foreign_text import json_text, printable
from edge_sdk.console.table import text_table
from edge_sdk.console.told_once import told_once
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.choice import Choice
from edge_sdk.inference.golden_result import GoldenResult
from edge_sdk.inference.options import EngineOptions
from edge_sdk.inference.thread_argument import add_threads_argument

from .choice_check import ChoiceReport, check_choice, check_in_process
from .choice_reasons import reason_lines
from .choice_status import exit_code_where_nothing_ran
from .inference_settings import InferenceSettings, add_config_argument, read_settings
from .model_choice import add_choice_arguments, every_choice

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .edge file")
    add_choice_arguments(parser, default="all")
    add_threads_argument(parser, default=None)
    add_config_argument(parser)
    parser.add_argument(
        "--require-sha256", metavar="HEX", help="digest of the bundle as its maker published it"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Verify the bundle.

    Returns:
        0 where all that could be run passed, and at least one could; 2 where only libraries are missing,
        and nothing was checked; else 1.
    """
    settings = read_settings(arguments, threads=arguments.threads)
    bundle = Bundle.open(arguments.bundle, require_sha256=arguments.require_sha256)
    choices = every_choice(bundle, settings)
    reports = [_check(bundle, choice, settings.options) for choice in choices]
    passed = _passed(reports)
    if arguments.json:
        print(json_text(_document(bundle, settings, reports, passed=passed)))
    else:
        told = settings.lines(choices)
        print(printable(_text(bundle, told, reports, passed=passed), lines=True))
    if passed:
        return 0
    return exit_code_where_nothing_ran(one.error for one in reports) if _nothing_run(reports) else 1


def _check(bundle: Bundle, choice: Choice, options: EngineOptions) -> ChoiceReport:
    if choice.backend == "tensorrt":
        return check_in_process(bundle, choice, options)
    return check_choice(bundle, choice, options)


def _passed(reports: list[ChoiceReport]) -> bool:
    statuses = {report.status for report in reports}
    return "failed" not in statuses and "passed" in statuses


def _nothing_run(reports: list[ChoiceReport]) -> bool:
    return all(report.status == "not_run" for report in reports)


def _document(
    bundle: Bundle, settings: InferenceSettings, reports: list[ChoiceReport], *, passed: bool
) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "bundle": {"name": manifest.name, "version": manifest.version, "sha256": bundle.sha256},
        "signed": False,
        "settings": settings.document(),
        "passed": passed,
        "variants": [_entry(report) for report in reports],
    }


def _entry(report: ChoiceReport) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(report)
    return {name: value for name, value in told.items() if name != "type"}


def _text(bundle: Bundle, settings: list[str], reports: list[ChoiceReport], *, passed: bool) -> str:
    manifest = bundle.manifest
    rows = [
        [
            report.variant,
            report.backend,
            report.status.replace("_", " "),
            *(_figures(report.golden) if report.golden else ["-", "-", "-", "-"]),
        ]
        for report in reports
    ]
    headings = ["variant", "backend", "golden samples", "n", "max difference", "bound", "flipped"]
    lines = [
        f"{manifest.name} {manifest.version}: {len(manifest.files)} digests right, unsigned",
        f"sha256 {bundle.sha256}",
        *settings,
        "",
        text_table(headings, rows, numbers=[3, 4, 5, 6]),
    ]
    lines += reason_lines(reports)
    ties = (
        (one.variant, (one.backend, one.golden.ties)) for one in reports if one.golden and one.golden.ties
    )
    for names, (backend, what) in told_once(ties):
        lines += ["", f"{names} on {backend}: {what}"]
    return "\n".join([*lines, "", _verdict(reports, passed=passed)])


def _verdict(reports: list[ChoiceReport], *, passed: bool) -> str:
    if passed:
        return "passed: this machine computes what the workstation did"
    if _nothing_run(reports):
        return "not checked: what could run it is not here"
    return "failed: do not trust it on this machine"


def _figures(golden: GoldenResult) -> list[str]:
    return [
        str(golden.n),
        f"{golden.max_abs_difference:.2e}",
        f"{golden.bound:.1e}",
        str(len(golden.flipped)),
    ]
