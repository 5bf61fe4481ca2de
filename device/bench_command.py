"""``edge-sdk bench BUNDLE``: how fast each variant is on this device, and which one to run here."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from edge_sdk.console.arguments import some_seconds
from edge_sdk.console.foreign_text import json_text, printable
from edge_sdk.console.progress import make_progress
from edge_sdk.console.told_once import told_once
from edge_sdk.contract.bundle import Bundle
from edge_sdk.contract.manifest import Manifest
from edge_sdk.errors import EdgeSdkError, UsageError, VerificationError
from edge_sdk.inference.choice import Choice
from edge_sdk.inference.thread_argument import MAX_THREADS, thread_count

from .bench.child import measure_in_process
from .bench.energy import NoMeterError, find_meter
from .bench.messages import Figures, Measured, Request
from .bench.noise import within_noise
from .bench.table import bench_table
from .inference_settings import InferenceSettings, add_config_argument, read_settings
from .library_versions import inference_versions
from .machine import this_machine
from .model_choice import add_choice_arguments, every_choice
from .picks import Pick, write_pick
from .reported import bundle_reference

__all__ = ["add_arguments", "run"]

_SECONDS = 3.0
_NOT_RUN = 2


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
        0 where at least one passed its golden samples; 2 where none could be run, else 1.

    Raises:
        UsageError: There is no such variant, nothing runs on these backends, or nothing can be picked.
        VerificationError: Nothing can be picked, for nothing passes.
        EdgeSdkError: The pick cannot be written. What was measured is printed before either; with
            ``--json`` the error is in the document instead.
    """
    settings = read_settings(arguments, threads=None)  # --threads is how far throughput is followed
    bundle = Bundle.open(arguments.bundle)
    threads = _thread_counts(arguments.threads or this_machine().processors, settings.options.threads)
    choices = every_choice(bundle, settings)
    results = _measure_all(bundle, choices, threads, settings, arguments.seconds)
    best = _fastest(results)
    if not arguments.json:
        print(printable(_text(bundle, settings, results, threads, arguments.seconds), lines=True))
    error = _kept(bundle, settings, best, results) if arguments.pick else None
    if arguments.json:
        document = _document(bundle, settings, results, threads, arguments, best)
        print(json_text(document | _pick_told(arguments, error)))
    elif error is None:
        print("\n" + _verdict(bundle.manifest, best, results, picked=arguments.pick))
    else:
        raise error
    if error is not None:
        return error.exit_code
    if best is not None:
        return 0
    return _NOT_RUN if all(one.status == "not_run" for one in results) else 1


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


class _Fastest(NamedTuple):
    measured: Measured
    figures: Figures

    def __str__(self) -> str:
        return f"{self.measured.variant} on {self.measured.backend}, {self.figures.median_ms:.3g} ms"


def _fastest(results: list[Measured]) -> _Fastest | None:
    passed = [_Fastest(one, one.figures) for one in results if one.status == "passed" and one.figures]
    return min(passed, key=lambda one: one.figures.median_ms, default=None)


def _kept(
    bundle: Bundle, settings: InferenceSettings, best: _Fastest | None, results: list[Measured]
) -> EdgeSdkError | None:
    """Write the pick; gives why that could not be done."""
    try:
        _keep(bundle, settings, best, results)
    except EdgeSdkError as error:
        return error
    return None


def _pick_told(arguments: argparse.Namespace, error: EdgeSdkError | None) -> dict[str, Any]:
    """Whether it was picked, and if it should have been, why not: as errors look that are no document."""
    if error is None:
        return {"picked": bool(arguments.pick)}
    return {"picked": False, "error": type(error).__name__, "message": error.message, "hint": error.hint}


def _keep(
    bundle: Bundle, settings: InferenceSettings, best: _Fastest | None, results: list[Measured]
) -> None:
    if best is None and all(one.status == "not_run" for one in results):
        raise UsageError(
            f"nothing in {bundle.path} can be picked: no variant can be run here",
            hint="the reasons stand with each variant; other backends may be here",
        )
    if best is None:
        raise VerificationError(
            f"nothing in {bundle.path} can be picked: no variant passes its golden samples here",
            hint="`edge-sdk verify` tells what is off",
        )
    write_pick(
        Pick(
            bundle=bundle_reference(bundle),
            variant=best.measured.variant,
            backend=best.measured.backend,
            median_ms=best.figures.median_ms,
            machine=this_machine(),
            versions=inference_versions(),
            settings=settings.options,
        )
    )


def _text(
    bundle: Bundle,
    settings: InferenceSettings,
    results: list[Measured],
    threads: list[int],
    duration_s: float,
) -> str:
    manifest, own = bundle.manifest, settings.options.threads
    counts, times = ", ".join(map(str, threads)), "1 thread" if own == 1 else f"{own} threads"
    lines = [
        f"{manifest.name} {manifest.version}, sha256 {bundle.sha256[:12]}",
        str(this_machine()),
        ", ".join(f"{name} {version}" for name, version in inference_versions().items()),
        *settings.lines(),
        f"{duration_s:g} s each; times in ms with {times}; inferences per s with {counts} threads",
        f"energy: {_energy()}",
        "",
        bench_table(results),
    ]
    reasons = ((one.variant, (one.backend, one.status, one.reason)) for one in results if one.reason)
    for names, (backend, status, reason) in told_once(reasons):
        lines += ["", f"{names} on {backend} {status.replace('_', ' ')}: {reason}"]
    warnings = [(one.variant, (one.backend, warning)) for one in results for warning in one.warnings]
    lines += [""] if warnings else []
    lines += [f"{names} on {backend}: {warning}" for names, (backend, warning) in told_once(warnings)]
    return "\n".join(lines)


def _energy() -> str:
    try:
        return find_meter().name
    except NoMeterError as error:
        return f"- ({error.message})"


def _verdict(manifest: Manifest, best: _Fastest | None, results: list[Measured], *, picked: bool) -> str:
    if best is None and all(one.status == "not_run" for one in results):
        return "nothing was measured: what could run it is not here, or does not work here"
    if best is None:
        return "nothing that could be run passes its golden samples"
    notes = _price(manifest, best) + _noise(best, results)
    if picked:
        return f"picked: {best}. `run` and `predict` take it from now on, unless told otherwise{notes}"
    return f"fastest that passes: {best}; --pick makes `run` and `predict` take it{notes}"


def _noise(best: _Fastest, results: list[Measured]) -> str:
    """Whose place behind the fastest may be chance."""
    alike = within_noise(best.measured, results)
    if not alike:
        return ""
    names = ", ".join(f"{one.variant} on {one.backend}" for one in alike)
    return (
        f"\nnote: within noise of it: {names}\n"
        "(medians of fifths of their runs overlap, so their order may be chance; more --seconds tell more)"
    )


def _price(manifest: Manifest, best: _Fastest) -> str:
    """What speed costs where the bundle prefers a variant that decides more like the trained model."""
    fast, preferred = (
        manifest.variant(best.measured.variant),
        manifest.variant(manifest.stages[0].variants[0]),
    )
    if fast.agreement >= preferred.agreement:
        return ""
    return (
        f"\nnote: of the samples that judged the conversion it decided {fast.agreement:.2%} as the trained "
        f"model does, {preferred.name}, which the bundle prefers, {preferred.agreement:.2%}"
    )


def _document(
    bundle: Bundle,
    settings: InferenceSettings,
    results: list[Measured],
    threads: list[int],
    arguments: argparse.Namespace,
    best: _Fastest | None,
) -> dict[str, Any]:
    try:
        sensor, why_not = find_meter().name, None
    except NoMeterError as error:
        sensor, why_not = None, error.message
    return {
        "bundle": msgspec.to_builtins(bundle_reference(bundle)),
        "machine": msgspec.to_builtins(this_machine()),
        "versions": inference_versions(),
        "settings": settings.document(),
        "threads": threads,
        "seconds": arguments.seconds,
        "energy": {"sensor": sensor, "reason": why_not},
        "results": [_entry(one) for one in results],
        "fastest": best and _name(best.measured),
        "within_noise": [_name(one) for one in within_noise(best.measured, results)] if best else [],
    }


def _name(measured: Measured) -> dict[str, str]:
    return {"variant": measured.variant, "backend": measured.backend}


def _entry(measured: Measured) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(measured)
    return {name: value for name, value in told.items() if name != "type"}
