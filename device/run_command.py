"""``edge-sdk run``: listen, decide, and publish alerts."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from typing import TextIO

import msgspec

from edge_sdk.console.arguments import seconds
from edge_sdk.console.foreign_text import json_text, printable
from edge_sdk.console.lines import LineWriter

from .run_options import add_run_options, run_config, run_settings
from .run_summary import RunSummary

__all__ = ["add_arguments", "run"]

_DRAIN_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.epilog = (
        "Runs until the source ends, or until SIGTERM or SIGINT; a second one ends it at once. Alerts "
        "that were not delivered stay in the outbox and are sent when it runs again."
    )
    add_run_options(parser)
    parser.add_argument(
        "--drain-s",
        type=seconds,
        default=_DRAIN_S,
        metavar="S",
        help="wait so long at the end for what is not delivered yet (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="one object at the end; lines go to stderr")


def run(arguments: argparse.Namespace) -> int:
    """Run the device.

    Returns:
        0 when the source ended or somebody said stop, 1 when listening failed.

    Raises:
        EdgeSdkError: Something does not hold; nothing was heard.
    """
    out = sys.stderr if arguments.json else sys.stdout
    config = run_config(arguments)
    _log_to(sys.stderr)

    from .assembly import run_device

    say = LineWriter(out)
    settings = run_settings(arguments, config)
    summary = run_device(config, drain_s=arguments.drain_s, say=say, settings=settings)
    for line in summary.lines():
        say(line)
    _tell_error(summary, LineWriter(sys.stderr))
    if arguments.json:
        print(json_text(msgspec.to_builtins(summary)))
    return 0 if summary.error is None else 1


class _PrintableFormatter(logging.Formatter):
    """For messages with names of files in them."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), lines=True)


def _log_to(stream: TextIO) -> None:
    """What goes wrong while it runs is said where a person, or the system's journal, will see it."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_PrintableFormatter("%(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)


def _tell_error(summary: RunSummary, say: Callable[[str], None]) -> None:
    if summary.error is not None:
        say(printable(f"error: {summary.error.message}", lines=True))
        if summary.error.hint:
            say(f"hint: {summary.error.hint}")
