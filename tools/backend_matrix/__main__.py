"""Measures every model of the examples and of the tests' data on every backend, and writes the page of it.

    python -m tools.backend_matrix --work matrix-out --page docs/reference/backends.md

Takes the tests' data (``EDGE_SDK_DATA``), the extras ``demo``, ``camera-opencv`` and ``tensorrt-rtx``, and
one to two hours on two cores. What is in the work folder already is not made again: of each model
``row.json``, the errors of its variants, and ``gate.json``, what the gate says of them.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .cases import CASES
from .one_case import is_done, read_gate, read_row
from .page import matrix_page

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    names = options.case or list(CASES)
    data = options.data.resolve()
    failed = [name for name in names if not _measured(name, data, options.work / name)]
    for name in failed:
        print(f"error: {name} could not be measured: see {options.work / name / 'log'}", file=sys.stderr)
    if options.page is not None and not failed:
        rows = {name: read_row(options.work / name) for name in names}
        gates = {name: read_gate(options.work / name) for name in names if not CASES[name].unjudged}
        options.page.write_text(matrix_page(rows, gates), encoding="utf-8")
    return 1 if failed else 0


def _measured(name: str, data: Path, folder: Path) -> bool:
    """Measure in a process of its own, unless that was done."""
    if is_done(name, folder):
        return True
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{name} ...", flush=True)
    python = [sys.executable, "-X", "faulthandler"]  # a crash of a native converter leaves a trace in the log
    command = [*python, "-m", "tools.backend_matrix.one_case", name, str(data), str(folder)]
    with (folder / "log").open("w", encoding="utf-8") as log:
        return subprocess.run(command, stdout=log, stderr=log, check=False).returncode == 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.backend_matrix",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = Path(os.environ.get("EDGE_SDK_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=data, metavar="DIR", help="(%(default)s)")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="for models and rows")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one, or these")
    parser.add_argument("--page", type=Path, metavar="MD", help="write the page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
