"""``edge-sdk bench BUNDLE``: how fast each variant is on this device, and which one to run here."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from edge_sdk.console.arguments import some_seconds
from edge_sdk.console.foreign_text import json_text, printable
from edge_sdk.console.progress import make_progress
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import BackendUnavailableError, EdgeSdkError, UsageError, VerificationError
from edge_sdk.inference.choice import Choice
from edge_sdk.inference.thread_argument import MAX_THREADS, thread_count

from .bench.child import measure_in_process
from .bench.messages import Measured, Request
from .bench_report import BenchReport
from .inference_settings import InferenceSettings, add_config_argument, read_settings
from .machine import this_machine
from .model_choice import add_choice_arguments, every_choice
from .picks import write_pick

__all__ = ["add_arguments", "run"]

_SECONDS = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.epilog = (
        "Each choice is measured in a process of its own. Load, first, median and p99 are milliseconds with "
        "one thread, or as many as CONFIG.toml says; MiB is the most memory that the process took, mJ what "
        "an inference took of the energy that the board tells of."
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .edge file")
    add_choice_arguments(parser, default="all")
    parser.add_argument(
        "--threads",
        type=thread_count,
        metavar="N",
        help=f"throughput with 1, 2, 4 ... and N threads an inference, 1 to {MAX_THREADS} (default: one for "
        "each processor)",
    )
    add_config_argument(parser)
    parser.add_argument(
        "--seconds",
        type=some_seconds,
        default=_SECONDS,
        metavar="S",
        help="how long each number of threads is measured, more than 0 and at most 3600 "
        "(default: %(default)g)",
    )
    parser.add_argument(
        "--pick",
        action="store_true",
        help="from now on `run` and `predict` take the fastest one that passes its golden samples",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Measure.

    Returns:
        0 where at least one passed its golden samples; 2 where only libraries are missing, and nothing was
        run; else 1. With ``--pick``, that of the error where nothing can be picked.

    Raises:
        UsageError: There is no such variant, or nothing runs on these backends.
        EdgeSdkError: Nothing can be picked, or the pick cannot be written. What was measured is printed
            before; with ``--json`` the error is in the document instead.
    """
    settings = read_settings(arguments, threads=None)  # --threads is how far throughput is followed
    bundle = Bundle.open(arguments.bundle)
    threads = _thread_counts(arguments.threads or this_machine().processors, settings.options.threads)
    choices = every_choice(bundle, settings)
    results = _measure_all(bundle, choices, threads, settings, arguments.seconds)
    report = BenchReport(bundle, settings, choices, results, threads, arguments.seconds)
    if not arguments.json:
        print(printable(report.text(), lines=True))
    error = _kept(report) if arguments.pick else None
    if arguments.json:
        print(json_text(report.document() | _pick_told(arguments, error)))
    elif error is None:
        print("\n" + report.verdict(picked=arguments.pick))
    if error is None:
        return report.exit_code
    if not arguments.json:
        raise error
    print(f"error: {printable(str(error), lines=True)}", file=sys.stderr)
    return error.exit_code


def _thread_counts(most: int, configured: int) -> list[int]:
    """1, 2, 4 and so on, and the most; and as many as the model is to run with."""
    powers = [2**exponent for exponent in range(MAX_THREADS.bit_length()) if 2**exponent < most]
    return sorted({*powers, min(most, MAX_THREADS), configured})


def _measure_all(
    bundle: Bundle,
    choices: list[Choice],
    threads: list[int],
    settings: InferenceSettings,
    duration_s: float,
) -> list[Measured]:
    progress, own = make_progress(), settings.options.threads
    in_turn = [own, *(count for count in threads if count != own)]
    return [
        measure_in_process(
            Request(
                bundle=str(bundle.path.absolute()),
                sha256=bundle.sha256,
                variant=choice.variant.name,
                backend=choice.backend,
                seconds=duration_s,
                # TensorRT works on the GPU: threads of the processor are nothing to it.
                threads=[1] if choice.backend == "tensorrt" else in_turn,
                options=settings.options,
            ),
            progress.within,
        )
        for choice in progress.track(choices, "measuring")
    ]


def _pick_told(arguments: argparse.Namespace, error: EdgeSdkError | None) -> dict[str, Any]:
    """Whether it was picked, and if it should have been, why not: as errors look that are no document."""
    if error is None:
        return {"picked": bool(arguments.pick)}
    return {"picked": False, "error": type(error).__name__, "message": error.message, "hint": error.hint}


def _kept(report: BenchReport) -> EdgeSdkError | None:
    """Keep the fastest; gives why that could not be done."""
    best = report.fastest
    if best is None:
        return _nothing_to_pick(report)
    try:
        write_pick(report.pick(best))
    except EdgeSdkError as error:
        return error
    return None


def _nothing_to_pick(report: BenchReport) -> EdgeSdkError:
    what = f"nothing in {report.bundle.path} can be picked"
    if not report.nothing_ran:
        return VerificationError(
            f"{what}: no variant passes its golden samples here", hint="`edge-sdk verify` tells what is off"
        )
    kind = UsageError if report.exit_code == UsageError.exit_code else BackendUnavailableError
    return kind(
        f"{what}: no variant can be run here",
        hint="the reasons stand with each variant; other backends may be here",
    )
