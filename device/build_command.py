"""``edge-sdk build BUNDLE``: TensorRT engines of its ONNX variants, for this device or for an RTX card."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import msgspec

from edge_sdk.console.arguments import at_least_one
from edge_sdk.console.foreign_text import json_text, printable
from edge_sdk.console.progress import Progress, make_progress
from edge_sdk.console.table import text_table
from edge_sdk.console.told_once import told_once
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Variant
from edge_sdk.errors import BackendError, UsageError
from edge_sdk.inference.model_name import model_name
from edge_sdk.inference.open import choose_variant
from edge_sdk.inference.tensorrt.build_child import Outcome, make_engine
from edge_sdk.inference.tensorrt.build_messages import Job, Refused, Waiting, Working
from edge_sdk.inference.tensorrt.build_target import THIS, read_target
from edge_sdk.inference.tensorrt.engine_cache import default_folder
from edge_sdk.inference.tensorrt.fingerprint import Fingerprint
from edge_sdk.inference.tensorrt.library import require_installed
from edge_sdk.inference.tensorrt.products import TENSORRT_RTX
from edge_sdk.inference.tensorrt.refusal import Refusal, refusal_hint

__all__ = ["BuildReport", "add_arguments", "run"]

_WORKSPACE_MB = 512
_TIME_LIMIT_S = 3600
_CONVERT_AGAIN = (
    "convert the model again with --variants onnx-float32,onnx-float16,onnx-int8 --calibration DIR"
)


class BuildReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one variant.

    Attributes:
        status: ``built``; ``found``, where the engine was there; ``refused`` by TensorRT; ``failed``.
        file: The engine, where there is one.
        bytes: Its size.
        build_s: How long it took; None where it was found.
        ran_here: Whether it ran on the GPU of this computer.
        fingerprint: What it was built of, by and for.
        removed: Older engines, whose place it takes.
        refusals: Operators, nodes and reasons, where it is refused.
        reason: Why there is no engine, in one text.
        hint: What to do about that.
    """

    variant: str
    status: str
    file: str | None = None
    bytes: int | None = None
    build_s: float | None = None
    ran_here: bool = False
    fingerprint: Fingerprint | None = None
    removed: list[str] = []
    refusals: list[Refusal] = []
    reason: str | None = None
    hint: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .edge file")
    parser.add_argument(
        "--for",
        dest="target",
        type=_target,
        default=THIS,
        metavar="this|SM",
        help="this device's GPU, or with TensorRT-RTX a family of cards: 86, 89, 120 (default: this)",
    )
    parser.add_argument("--variant", metavar="V", help="only this variant; by default every ONNX variant")
    parser.add_argument(
        "--workspace-mb",
        type=at_least_one,
        metavar="N",
        help="MiB that kernels may use beside weights and tensors, at most; an engine that was built with "
        f"less is built again (default: {_WORKSPACE_MB}, or what the engine has that is there)",
    )
    parser.add_argument(
        "--time-limit",
        type=at_least_one,
        default=_TIME_LIMIT_S,
        metavar="S",
        help=f"seconds for each variant, waiting for another builder included (default: {_TIME_LIMIT_S})",
    )
    parser.add_argument(
        "--cache", type=_folder, metavar="DIR", help="folder of engines (default: the user's)"
    )
    parser.add_argument(
        "--skip-memory-check", action="store_true", help="build although there seems to be too little memory"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Build the engines.

    Returns:
        0 where there is an engine of every variant that was asked for, else 1.
    """
    bundle = Bundle.open(arguments.bundle)
    variants = _variants(bundle, arguments.variant)
    require_installed()
    cache = default_folder() if arguments.cache is None else arguments.cache.absolute()
    progress = make_progress()
    reports = [
        _Builder(bundle, cache, arguments, progress).build(variant)
        for variant in progress.track(variants, "engines")
    ]
    passed = all(report.file is not None for report in reports)
    if arguments.json:
        print(json_text(_document(bundle, cache, reports, passed=passed)))
    else:
        print(printable(_text(bundle, cache, reports), lines=True))
    return 0 if passed else 1


def _folder(text: str) -> Path:
    if not text:  # of an unset variable; else it would be the current folder
        raise argparse.ArgumentTypeError("the name of the folder is empty")
    return Path(text)


def _target(text: str) -> str:
    try:
        return read_target(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _variants(bundle: Bundle, name: str | None) -> list[Variant]:
    manifest = bundle.manifest
    found = [variant for variant in manifest.variants if variant.format == "onnx"]
    if name is not None:
        variant = choose_variant(manifest, name)
        if variant.format != "onnx":
            raise UsageError(
                f"variant '{name}' is a {variant.format} file; engines are built of ONNX",
                hint=f"of ONNX it has {', '.join(one.name for one in found)}" if found else _CONVERT_AGAIN,
            )
        return [variant]
    if not found:
        names = ", ".join(variant.name for variant in manifest.variants)
        raise UsageError(
            f"bundle {manifest.name} has no ONNX variant to build an engine of, only {names}",
            hint=_CONVERT_AGAIN,
        )
    return found


class _Builder:
    """Builds variants one after the other, each in a process of its own."""

    def __init__(
        self, bundle: Bundle, cache: Path, arguments: argparse.Namespace, progress: Progress
    ) -> None:
        self._bundle = bundle
        self._cache = cache
        self._arguments = arguments
        self._progress = progress
        self._told = ""
        self._began = time.monotonic()

    def build(self, variant: Variant) -> BuildReport:
        """Build one; what goes wrong with it is in the report.

        Raises:
            UsageError: None can be built.
        """
        try:
            outcome = self._run(variant)
        except BackendError as error:
            return BuildReport(variant=variant.name, status="failed", reason=error.message, hint=error.hint)
        if isinstance(outcome, Refused):
            return BuildReport(
                variant=variant.name,
                status="refused",
                refusals=outcome.refusals,
                reason="\n".join([f"{outcome.builder} refuses it:", *map(str, outcome.refusals)]),
                hint=refusal_hint(outcome.refusals),
            )
        return BuildReport(
            variant=variant.name,
            status=outcome.status,
            file=outcome.path,
            bytes=outcome.bytes,
            build_s=outcome.seconds if outcome.status == "built" else None,
            ran_here=outcome.tried,
            fingerprint=outcome.fingerprint,
            removed=outcome.removed,
        )

    def _run(self, variant: Variant) -> Outcome:
        model = self._bundle.read(variant.file)
        arguments = self._arguments
        job = Job(
            name=model_name(self._bundle.manifest, variant),
            target=arguments.target,
            cache=str(self._cache),
            workspace_mb=arguments.workspace_mb or _WORKSPACE_MB,
            least_workspace_mb=arguments.workspace_mb or 0,
            check_memory=not arguments.skip_memory_check,
            model_bytes=len(model),
        )
        self._began, self._told = time.monotonic(), ""

        def tell(message: Waiting | Working) -> None:
            self._tell(variant, message)

        return make_engine(job, model, time_limit_s=arguments.time_limit, on_progress=tell)

    def _tell(self, variant: Variant, message: Waiting | Working) -> None:
        if isinstance(message, Waiting):
            holder = "another process" if message.process is None else f"process {message.process}"
            what = f"waiting for {holder}, which builds in {self._cache}"
        else:
            what = message.what
            self._progress.within(message.share)
        elapsed = time.monotonic() - self._began
        if what == self._told:
            what = f"{what} ({elapsed:.0f} s so far; a first build can take ten minutes)"
        elif isinstance(message, Working) and message.share > 0:
            return  # the bar tells, or the line of every ten seconds
        else:
            self._told = what
        self._progress.step(f"{variant.name}: {what}")


def _document(bundle: Bundle, cache: Path, reports: list[BuildReport], *, passed: bool) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "bundle": {"name": manifest.name, "version": manifest.version, "sha256": bundle.sha256},
        "cache": str(cache),
        "passed": passed,
        "variants": [msgspec.to_builtins(report) for report in reports],
    }


def _text(bundle: Bundle, cache: Path, reports: list[BuildReport]) -> str:
    manifest = bundle.manifest
    rows = [[report.variant, report.status, *_figures(report)] for report in reports]
    headings = ["variant", "engine", "MB", "build s", "ran here", "for", "by"]
    lines = [
        f"{manifest.name} {manifest.version}: engines in {cache}",
        "",
        text_table(headings, rows, numbers=[2, 3]),
    ]
    failed = ((one.variant, (one.status, one.reason, one.hint)) for one in reports if one.reason is not None)
    for names, (status, reason, hint) in told_once(failed):
        lines += ["", f"{names} {status}: {reason}", *([f"hint: {hint}"] if hint else [])]
    removed = sum(len(report.removed) for report in reports)
    if removed:
        lines += ["", f"{removed} removed: of an older model, TensorRT or driver; these took their place"]
    notes = dict.fromkeys(_note(report.fingerprint) for report in reports if report.fingerprint is not None)
    return "\n".join([*lines, *(f"\n{note}" for note in notes if note)])


def _figures(report: BuildReport) -> list[str]:
    made = report.fingerprint
    if made is None or report.bytes is None:
        return ["-", "-", "-", "-", "-"]
    return [
        f"{report.bytes / 1e6:.1f}",
        "-" if report.build_s is None else f"{report.build_s:.1f}",
        "yes" if report.ran_here else "no",
        made.board or f"compute capability {made.compute_capability}",
        f"{made.product} {made.version}",
    ]


def _note(made: Fingerprint) -> str:
    if made.product != TENSORRT_RTX:
        return ""
    return (
        f"An engine of {TENSORRT_RTX} runs only on cards of compute capability {made.compute_capability},\n"
        f"under exactly {TENSORRT_RTX} {made.version}; never on a Jetson, where TensorRT builds its own."
    )
