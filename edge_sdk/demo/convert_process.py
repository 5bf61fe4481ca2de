"""Builds the examples' models and then runs ``edge-sdk convert``: one process, so that TensorFlow loads once.

    python -m edge_sdk.demo.convert_process SEARCH_PATH BUILDS DONE

``BUILDS`` is a JSON list of command lines, each the name of a module, found in ``SEARCH_PATH``, and what
its ``main`` is given. Then each line on standard input is a :class:`Conversion` in JSON, and is answered
by a line on the file descriptor ``DONE``. If the demo dies, nothing more is converted.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from ..cli.main import main as run_verb
from .termination import leave_on_signals

__all__ = ["Conversion", "main"]

_INTERRUPTED = 130
_NICENESS = 10


class Conversion(Struct):
    """What to convert.

    Attributes:
        arguments: What follows ``edge-sdk convert``.
        log: What it prints goes to this file, and whatever else runs goes first; None: to our terminal.
    """

    arguments: list[str]
    log: str | None = None


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: that of the first module or conversion that fails, else 0."""
    search_path, builds, done = arguments
    sys.path.insert(0, search_path)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # as `convert` does where it loads TensorFlow
    try:
        with leave_on_signals(), contextlib.redirect_stdout(sys.stderr):
            for module, *options in json.loads(builds):
                code: int = importlib.import_module(module).main(options)
                if code:
                    return code
        with os.fdopen(int(done), "w") as answers:
            for line in sys.stdin:
                conversion = msgspec.json.decode(line, type=Conversion)
                with _printing_to(conversion.log):
                    code = run_verb(["convert", *conversion.arguments])
                if code:
                    return code
                print("done", file=answers, flush=True)
    except KeyboardInterrupt:
        return _INTERRUPTED  # the demo says so
    return 0


@contextlib.contextmanager
def _printing_to(log: str | None) -> Iterator[None]:
    """Send the process's own output to a file, that of native libraries too."""
    if log is None:
        yield
        return
    os.nice(_NICENESS)
    streams = (sys.stdout, sys.stderr)
    kept = [os.dup(stream.fileno()) for stream in streams]
    try:
        with Path(log).open("ab") as file:
            for stream in streams:
                os.dup2(file.fileno(), stream.fileno())
        yield
    finally:
        for stream, descriptor in zip(streams, kept, strict=True):
            stream.flush()
            os.dup2(descriptor, stream.fileno())
            os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
