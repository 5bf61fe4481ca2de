"""Which variant runs here, and on what: as the configuration says, as was measured, or as the bundle says."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from edge_sdk.console.foreign_text import printable
from edge_sdk.console.lines import LineWriter
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.choice import BACKEND_NAMES, Choice, possible_choices
from edge_sdk.inference.fallback import Opened, Refused, open_first
from edge_sdk.inference.options import AS_SUITS_THIS_DEVICE, BackendName, EngineOptions

from .picks import find_pick

__all__ = ["RefusalTeller", "add_choice_arguments", "every_choice", "open_as_asked", "open_model"]


def add_choice_arguments(parser: argparse.ArgumentParser, *, default: str) -> None:
    """Add ``--variant`` and ``--backend``.

    Args:
        parser: Of a verb that runs a model.
        default: What happens without, for the help.
    """
    parser.add_argument("--variant", metavar="V", help=f"only this variant; by default {default}")
    parser.add_argument(
        "--backend",
        action="append",
        choices=BACKEND_NAMES,
        help="run it on this alone; given several times: in this order",
    )


def every_choice(bundle: Bundle, arguments: argparse.Namespace) -> list[Choice]:
    """What could run here: the variants in the manifest's order, but for what the arguments leave out.

    Raises:
        UsageError: There is no such variant, or nothing runs on these backends.
    """
    manifest = bundle.manifest
    if arguments.variant is not None:
        return possible_choices(manifest, variant=arguments.variant, backends=arguments.backend)
    wanted = possible_choices(manifest, backends=arguments.backend)  # wrong use, where nothing is left
    names = [variant.name for variant in manifest.variants]
    return sorted(wanted, key=lambda choice: names.index(choice.variant.name))


def open_model(
    bundle: Bundle,
    *,
    variant: str | None = None,
    backends: Sequence[BackendName] | None = None,
    options: EngineOptions = AS_SUITS_THIS_DEVICE,
    golden: bool,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> Opened:
    """Load what is to run here: the first that works.

    Args:
        bundle: Verified.
        variant: Only this one.
        backends: Only these, in this order.
        options: How they work.
        golden: Whether it must pass its golden samples.
        say: Told what was picked on this device.
        warn: Told, line by line, what does not work and why.

    Raises:
        UsageError: There is no such variant, or none that runs on these backends.
        EdgeSdkError: Nothing works.
    """
    found = find_pick(bundle)
    if found.note is not None and variant is None and backends is None:
        (warn if found.pick is None else say)(found.note)
    choices: list[Choice] = possible_choices(
        bundle.manifest, variant=variant, backends=backends, pick=found.choice
    )
    opened = open_first(bundle, choices, options, golden=golden, on_refused=RefusalTeller(warn))
    if backends is None:
        _warn_of_unused(options, opened.choice, warn)
    return opened


def _warn_of_unused(options: EngineOptions, choice: Choice, warn: Callable[[str], None]) -> None:
    """Who names CUDA for ONNX Runtime, but no order of backends, expects that ONNX Runtime runs."""
    usual = AS_SUITS_THIS_DEVICE
    settings: dict[BackendName, bool] = {
        "onnx": options.onnx != usual.onnx,
        "tensorrt": options.tensorrt != usual.tensorrt,
    }
    for backend, is_set in settings.items():
        if is_set and backend != choice.backend:
            warn(f"what [inference.{backend}] says is not used: {choice} runs")
            warn(f'hint: backends = ["{backend}"] below [inference] asks for it')


def open_as_asked(bundle: Bundle, arguments: argparse.Namespace) -> Opened:
    """Load what a command line asks for, without golden samples; what a person should know goes to stderr.

    Args:
        bundle: Verified.
        arguments: Those of :func:`add_choice_arguments`, and ``threads``.

    Raises:
        UsageError: There is no such variant, or none that runs on these backends.
        EdgeSdkError: Nothing works.
    """
    write = LineWriter(sys.stderr)

    def tell(line: str) -> None:
        write(printable(line, lines=True))

    return open_model(
        bundle,
        variant=arguments.variant,
        backends=arguments.backend,
        options=EngineOptions(threads=arguments.threads),
        golden=False,
        say=tell,
        warn=tell,
    )


class RefusalTeller:
    """Tells why choices do not work, each reason once: without a library, all of its variants fail alike.

    Args:
        tell: Told each line.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: set[tuple[str, str]] = set()

    def __call__(self, refused: Refused) -> None:
        """Tell one, unless its like was told."""
        alike = (refused.choice.backend, refused.reason)
        if alike in self._told:
            return
        self._told.add(alike)
        self._tell(f"{refused.choice} does not work here: {refused.reason}")
        if refused.hint:
            self._tell(f"hint: {refused.hint}")
