"""Entry point of ``edge-sdk``: find the verb, run it, report errors to a person or a machine."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from ..console.foreign_text import json_text, printable
from ..console.lines import discard, write_any_character
from ..errors import EdgeSdkError
from .parser import VerbParser
from .verbs import VERBS

__all__ = ["main"]

_INTERRUPTED = 130  # what a shell reports for a program that SIGINT ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    With ``--json``, exactly one object is on standard output, whatever happens.

    Returns:
        0 done, 1 the work failed or a gate refused, 2 wrong use, 130 interrupted. Wrong use is also
        a path on the command line where nothing is; one bad file among good ones is work that failed.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    write_any_character(sys.stdout)
    try:
        code = _outcome(arguments)
        sys.stdout.flush()
    except OSError as error:  # of writing the outcome: the reader (`| head`) has gone, or a disk is full
        discard(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            print(f"error: standard output: {error.strerror or error}", file=sys.stderr)
        return 1
    return code


def _outcome(arguments: Sequence[str]) -> int:
    as_json = "--json" in arguments
    try:
        return _run(arguments)
    except EdgeSdkError as error:
        _report(type(error).__name__, error.message, error.hint, as_json=as_json)
        return error.exit_code
    except KeyboardInterrupt:
        if as_json:
            _print_error("KeyboardInterrupt", "interrupted", None)
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # the process's outer edge: a defect is told like an error, with its trace
        import logging  # seldom needed, and slow to load

        logging.getLogger(__name__).exception("edge-sdk failed over something that it did not foresee")
        message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        hint = "this is a defect of edge-sdk: please report it, with the lines above"
        _report(type(error).__name__, message, hint, as_json=as_json)
        return 1


def _run(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] not in VERBS:
        parser = _top_parser()
        parser.parse_args(arguments or ["--help"])  # exits for help and version, raises for the rest ...
        parser.error("the verb comes first")  # ... but for a verb behind `--`
    name, rest = arguments[0], arguments[1:]
    verb = VERBS[name]
    module = importlib.import_module(verb.module)
    parser = VerbParser(prog=f"edge-sdk {name}", description=verb.summary + ".")
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(rest)))


def _top_parser() -> VerbParser:
    width = max(len(name) for name in VERBS)
    table = "\n".join(f"  {name:<{width}}  {verb.summary}" for name, verb in VERBS.items())
    parser = VerbParser(
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


def _report(kind: str, message: str, hint: str | None, *, as_json: bool) -> None:
    if as_json:
        _print_error(kind, message, hint)
    print(f"error: {printable(message, lines=True)}", file=sys.stderr)
    if hint:
        print(f"hint: {printable(hint, lines=True)}", file=sys.stderr)


def _print_error(kind: str, message: str, hint: str | None) -> None:
    print(json_text({"error": kind, "message": message, "hint": hint}))
