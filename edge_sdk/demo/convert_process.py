"""Builds the examples' models and then runs ``edge-sdk convert``: one process, so that TensorFlow loads once.

    python -m edge_sdk.demo.convert_process SEARCH_PATH BUILDS DONE

``BUILDS`` is a JSON list of command lines, each the name of a module, found in ``SEARCH_PATH``, and what
its ``main`` is given. Then each line on standard input is a JSON list of what ``convert`` is to be given,
and is answered by a line on the file descriptor ``DONE``. If the demo dies, nothing more is converted.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import sys
from collections.abc import Sequence

from ..cli.main import main as run_verb
from .termination import leave_on_signals

__all__ = ["main"]

_INTERRUPTED = 130


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
                code = run_verb(["convert", *json.loads(line)])
                if code:
                    return code
                print("done", file=answers, flush=True)
    except KeyboardInterrupt:
        return _INTERRUPTED  # the demo says so
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
