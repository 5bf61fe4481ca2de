"""Which variant runs here, and on what: as the configuration says, as was measured, or as the bundle says."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from edge_sdk.console.foreign_text import printable
from edge_sdk.console.lines import LineWriter
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference.choice import BACKEND_NAMES, Choice, possible_choices
from edge_sdk.inference.fallback import Opened, Refused, open_first
from edge_sdk.inference.options import AS_SUITS_THIS_DEVICE, BackendName, EngineOptions

from .inference_settings import InferenceSettings
from .picks import Pick, find_pick

__all__ = ["add_choice_arguments", "every_choice", "open_as_asked", "open_model"]


def add_choice_arguments(parser: argparse.ArgumentParser, *, default: str) -> None:
    """Add ``--variant`` and ``--backend``.

    Args:
        parser: Of a verb that runs a model.
        default: What happens without, for the help.
    """
    parser.add_argument("--variant", metavar="V", help=f"only this variant; by default {default}")
    several = "may be given several times" if default == "all" else "given several times: in this order"
    parser.add_argument(
        "--backend", action=_OnceEach, choices=BACKEND_NAMES, help=f"run it on this alone; {several}"
    )


class _OnceEach(argparse.Action):
    """Collects values, and refuses one that is there already."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        """Take one."""
        given = getattr(namespace, self.dest) or []
        if values in given:
            parser.error(f"{option_string} {values} is given twice")
        setattr(namespace, self.dest, [*given, values])


def every_choice(bundle: Bundle, settings: InferenceSettings) -> list[Choice]:
    """What could run here: the variants in the manifest's order, but for what the settings leave out.

    Raises:
        UsageError: There is no such variant, nothing runs on these backends, or ONNX Runtime has not an
            execution provider that is named.
    """
    choices = settings.choices(bundle.manifest)
    settings.require_providers(choices)
    if settings.inference.variant is not None:
        return choices
    names = [variant.name for variant in bundle.manifest.variants]
    return sorted(choices, key=lambda choice: names.index(choice.variant.name))


def open_model(
    bundle: Bundle,
    *,
    variant: str | None = None,
    backends: Sequence[BackendName] | None = None,
    options: EngineOptions = AS_SUITS_THIS_DEVICE,
    golden: bool,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    tell_at_once: bool,
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
        tell_at_once: Whether a refusal is told before the next variant is tried, for a log that must have it
            even where loading that one ends the process. Else they are told once one works; where none
            does, the error tells them all.

    Raises:
        UsageError: There is no such variant, or none that runs on these backends.
        EdgeSdkError: Nothing works.
    """
    found = find_pick(bundle)
    is_heeded = variant is None and (found.pick is None or backends is None or found.pick.backend in backends)
    if found.note is not None and is_heeded:
        (warn if found.pick is None else say)(found.note)
    choices: list[Choice] = possible_choices(
        bundle.manifest, variant=variant, backends=backends, pick=found.choice
    )
    teller = _RefusalTeller(warn)
    on_refused = teller if tell_at_once else _later
    opened = open_first(bundle, choices, options, golden=golden, on_refused=on_refused)
    for refused in opened.refused:
        teller(refused)
    if variant is None and found.pick is not None:
        _warn_of_other_settings(options, opened.choice, found.pick, warn)
    if backends is None:
        _warn_of_unused(options, opened.choice, warn)
    return opened


def _warn_of_other_settings(
    options: EngineOptions, choice: Choice, pick: Pick, warn: Callable[[str], None]
) -> None:
    """What was the fastest one need not be with other threads, or on another execution provider."""
    difference = pick.other_settings(options)
    if difference is not None and (choice.variant.name, choice.backend) == (pick.variant, pick.backend):
        warn(f"the pick, {choice}, was measured with other settings: {difference}")
        warn(
            "hint: run it with the CONFIG.toml that `bench` was given, or measure with the settings of here: "
            "`edge-sdk bench BUNDLE --config CONFIG.toml --pick`, without --config where none is used"
        )


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


def open_as_asked(bundle: Bundle, settings: InferenceSettings) -> Opened:
    """Load what a command line asks for, without golden samples; what a person should know goes to stderr.

    Args:
        bundle: Verified.
        settings: What it asks for.

    Raises:
        UsageError: There is no such variant, or none that runs on these backends.
        EdgeSdkError: Nothing works.
    """
    settings.choices(bundle.manifest)  # refuses what there is not, and names the file that asks for it
    write = LineWriter(sys.stderr)

    def tell(line: str) -> None:
        write(printable(line, lines=True))

    for line in settings.lines():
        tell(line)
    return open_model(
        bundle,
        variant=settings.inference.variant,
        backends=settings.inference.backends,
        options=settings.options,
        golden=False,
        say=tell,
        warn=tell,
        tell_at_once=False,
    )


def _later(_: Refused) -> None:
    """Leave it to who has the outcome."""


class _RefusalTeller:
    """Tells why choices do not work, each reason once: without a library, all of its variants fail alike."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: set[tuple[str, str]] = set()

    def __call__(self, refused: Refused) -> None:
        alike = (refused.choice.backend, refused.reason)
        if alike in self._told:
            return
        self._told.add(alike)
        self._tell(f"{refused.choice} does not work here: {refused.reason}")
        if refused.hint:
            self._tell(f"hint: {refused.hint}")
