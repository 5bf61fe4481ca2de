"""Measures every model of the examples and of the tests' data on every backend, and writes the page of it.

    python -m tools.backend_matrix --work matrix-out --page docs/reference/backends.md

Takes the tests' data (``EDGE_SDK_DATA``), the extras ``demo``, ``camera-opencv`` and ``tensorrt-rtx``, and
about an hour on two cores. What is in the work folder already, and of the same code, libraries and data, is
not made again: of each model ``row.json``, the errors of its variants, and ``gate.json``, what the gate says
of them.

The exit status is 1 if a variant is further off than the tolerance of its precision and no gate was asked
whether it decides as well all the same, or if it is float32 of a float model; if one answers with values that
are not finite; or if making or running one fails otherwise than by a refusal of the conversion.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .cases import CASES
from .one_case import is_done, read_gate, read_row
from .page import matrix_page
from .tolerance import unexplained

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    names = options.case or list(CASES)
    data = options.data.resolve()
    failed = _not_measured(names, data, options.work, options.jobs)
    for name in failed:
        print(f"error: {name} could not be measured: see {options.work / name / 'log'}", file=sys.stderr)
    if failed:
        return 1
    rows = {name: read_row(options.work / name) for name in names}
    gates = {name: read_gate(options.work / name) for name in names if not CASES[name].unjudged}
    if options.page is not None:
        options.page.write_text(matrix_page(rows, gates), encoding="utf-8")
    faults = unexplained(rows, gates)
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _not_measured(names: Sequence[str], data: Path, work: Path, jobs: int) -> list[str]:
    """Measure some at a time, and last those that need the memory alone; gives those that failed."""
    done: dict[str, bool] = {}
    for alone in (False, True):
        turn = [name for name in names if CASES[name].alone is alone]
        with ThreadPoolExecutor(1 if alone else jobs) as pool:
            done |= zip(turn, pool.map(lambda name: _measured(name, data, work / name), turn), strict=True)
    return [name for name in names if not done[name]]


def _measured(name: str, data: Path, folder: Path) -> bool:
    """Measure in a process of its own, unless that was done."""
    if is_done(name, data, folder):
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
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="models at a time (%(default)s)")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one, or these")
    parser.add_argument("--page", type=Path, metavar="MD", help="write the page")
    return parser


if __name__ == "__main__":
    sys.exit(main())
