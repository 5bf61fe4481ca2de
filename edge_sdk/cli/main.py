"""Entry point of ``edge-sdk``: find the verb, run it, report errors to a person or a machine."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence

from ..errors import EdgeSdkError
from .verbs import VERBS

__all__ = ["main"]

_INTERRUPTED = 130  # what a shell reports for a program that SIGINT ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns:
        0 done, 1 the work failed or a gate refused, 2 wrong use, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _top_parser()
    if not arguments or arguments[0] not in VERBS:
        parser.parse_args(arguments or ["--help"])  # exits: help, version, or wrong use
        return 2
    name, rest = arguments[0], arguments[1:]
    verb = VERBS[name]
    try:
        module = importlib.import_module(verb.module)
        verb_parser = argparse.ArgumentParser(prog=f"edge-sdk {name}", description=verb.summary + ".")
        module.add_arguments(verb_parser)
        return int(module.run(verb_parser.parse_args(rest)))
    except EdgeSdkError as error:
        _report(error, as_json="--json" in rest)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone; keep the interpreter from failing again while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _top_parser() -> argparse.ArgumentParser:
    width = max(len(name) for name in VERBS)
    table = "\n".join(f"  {name:<{width}}  {verb.summary}" for name, verb in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="edge-sdk",
        description="From a trained model to an alert that a ranger can trust.",
        epilog=f"verbs:\n{table}\n\n'edge-sdk VERB --help' tells more about one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version())
    parser.add_argument("verb", metavar="VERB", choices=list(VERBS))
    return parser


def _version() -> str:
    from .. import __version__

    return f"edge-sdk {__version__}"


def _report(error: EdgeSdkError, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": type(error).__name__, "message": error.message, "hint": error.hint}))
    print(f"error: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)
