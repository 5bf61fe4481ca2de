"""Builds the example's base and then runs ``edge-sdk convert``: one process, so that TensorFlow loads once.

    python -m edge_sdk.demo.convert_process SEARCH_PATH MODULE BASE.keras

``MODULE``, found in ``SEARCH_PATH``, writes the base. Then a line is awaited on standard input: a JSON
list of what ``convert`` is to be given. If the demo dies before it sends that, nothing is converted.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import sys
from collections.abc import Sequence

from ..cli.main import main as run_verb
from .termination import leave_on_signals

__all__ = ["main"]

_INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: that of the base's module if it fails, else that of ``convert``."""
    search_path, module, base = arguments
    sys.path.insert(0, search_path)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # as `convert` does where it loads TensorFlow
    try:
        with leave_on_signals(), contextlib.redirect_stdout(sys.stderr):
            code: int = importlib.import_module(module).main([base])
        told = sys.stdin.readline()
    except KeyboardInterrupt:
        return _INTERRUPTED  # the demo says so
    if code or not told:
        return code or 1
    return run_verb(["convert", *json.loads(told)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
