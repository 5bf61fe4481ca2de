"""``edge-sdk build BUNDLE``: TensorRT engines of its ONNX variants, for this device or for an RTX card."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from edge_sdk.console.arguments import at_least_one
from edge_sdk.console.foreign_text import json_text, printable
from edge_sdk.console.progress import Progress, make_progress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Variant
from edge_sdk.errors import BackendError, UsageError
from edge_sdk.inference.model_name import model_name
from edge_sdk.inference.open import choose_variant
from edge_sdk.inference.options import TensorRtOptions
from edge_sdk.inference.tensorrt.build_child import Outcome, make_engine
from edge_sdk.inference.tensorrt.build_messages import Job, Refused, Waiting, Working
from edge_sdk.inference.tensorrt.build_target import THIS, read_target
from edge_sdk.inference.tensorrt.engine_folder import default_folder
from edge_sdk.inference.tensorrt.library import require_installed
from edge_sdk.inference.tensorrt.refusal import refusal_hint
from edge_sdk.inference.tensorrt.trial_mark import TrialSettings

from .build_report import BuildReport, BuildSummary
from .config import load_inference

__all__ = ["add_arguments", "run"]

_WORKSPACE_MB = 512
_TIME_LIMIT_S = 3600
_CONVERT_AGAIN = (
    "convert the model again with --variants onnx-float32,onnx-float16,onnx-int8 --calibration DIR"
)


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
    parser.add_argument(
        "--config",
        type=Path,
        metavar="CONFIG.toml",
        help="of `run`: build where [inference.tensorrt] of this file says, and try engines as it says; its "
        "other settings are not heeded",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Build the engines.

    Returns:
        0 where there is an engine of every variant that was asked for, else 1.
    """
    options = TensorRtOptions() if arguments.config is None else load_inference(arguments.config).tensorrt
    bundle = Bundle.open(arguments.bundle)
    variants = _variants(bundle, arguments.variant)
    require_installed()
    cache = _cache(arguments, options)
    settings = TrialSettings(cuda_graph=options.cuda_graph, mapped_memory=options.mapped_memory)
    progress = make_progress()
    reports = [
        _Builder(bundle, cache, arguments, settings, progress).build(variant)
        for variant in progress.track(variants, "engines")
    ]
    summary = BuildSummary(
        bundle, cache, arguments.config, settings, reports, says=options != TensorRtOptions()
    )
    if arguments.json:
        print(json_text(summary.document()))
    else:
        print(printable(summary.text(), lines=True))
    return 0 if summary.passed else 1


def _cache(arguments: argparse.Namespace, options: TensorRtOptions) -> Path:
    folder: Path | None = arguments.cache
    if folder is not None:
        return folder.absolute()
    return default_folder() if options.cache is None else Path(options.cache)


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
        self,
        bundle: Bundle,
        cache: Path,
        arguments: argparse.Namespace,
        settings: TrialSettings,
        progress: Progress,
    ) -> None:
        self._bundle = bundle
        self._cache = cache
        self._arguments = arguments
        self._settings = settings
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
            settings=self._settings,
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
