"""``edge-sdk demo``: from trained models to alerts and answers, on this machine, with real recordings."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path

from ..errors import MissingExtraError, UsageError
from .demonstration import Demonstration
from .termination import leave_on_signals

__all__ = ["add_arguments", "run"]

# What the parts need, asked for before the first download rather than after two minutes.
_NEEDED = ("tensorflow", "ai_edge_litert", "soundfile", "soxr", "paho", "rich", "matplotlib", "scipy", "PIL")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("edge-sdk-demo"),
        metavar="DIR",
        help="folder for bundle, report, recordings and pictures (default: %(default)s)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave broker and monitor running afterwards, until Ctrl-C"
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo.

    Returns:
        0 when every staged chainsaw was heard, no alert was false, and, where OpenCV is installed, every
        photo was answered right and the face was found; else 1.
    """
    for library in _NEEDED:
        if importlib.util.find_spec(library) is None:
            raise MissingExtraError(library, "demo")
    folder: Path = arguments.output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}", hint="use --output") from error
    with leave_on_signals():
        outcome = Demonstration(folder.resolve(), quiet=arguments.json).run(keep=arguments.keep)
    if arguments.json:
        json.dump(outcome, sys.stdout, indent=2)
        print()
    return 0 if outcome["passed"] else 1
