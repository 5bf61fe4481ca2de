"""One model of the matrix, in a process of its own, which a crash or a lack of memory may end.

    python -m tools.backend_matrix.one_case CASE DATA FOLDER

Writes ``FOLDER/row.json`` and ``FOLDER/gate.json``, unless they are there and of the same code, libraries and
data, whose digest is ``FOLDER/measured_with``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from edge_sdk.errors import EdgeSdkError

from .cases import CASES
from .freshness import measurement_digest
from .gate import GateReport, ask_gate
from .measure import Row, measure

__all__ = ["is_done", "main", "read_gate", "read_row"]

_ROW, _GATE, _DIGEST = "row.json", "gate.json", "measured_with"


def is_done(name: str, data: Path, folder: Path) -> bool:
    """Whether nothing of a model is left to do: all is there, and would come out so again."""
    wanted = (_ROW,) if CASES[name].unjudged else (_ROW, _GATE)
    return _is_fresh(data, folder) and all((folder / file).is_file() for file in wanted)


def _is_fresh(data: Path, folder: Path) -> bool:
    digest = folder / _DIGEST
    return digest.is_file() and digest.read_text(encoding="utf-8") == measurement_digest(data)


def read_row(folder: Path) -> Row:
    """The errors of its variants."""
    return msgspec.json.decode((folder / _ROW).read_bytes(), type=Row)


def read_gate(folder: Path) -> GateReport:
    """What the gate said."""
    return msgspec.json.decode((folder / _GATE).read_bytes(), type=GateReport)


def main(arguments: Sequence[str]) -> int:
    """Command line; returns the exit code."""
    name, data, folder = arguments[0], Path(arguments[1]), Path(arguments[2])
    case = CASES[name]
    if not _is_fresh(data, folder):
        for file in (_ROW, _GATE):
            (folder / file).unlink(missing_ok=True)
        (folder / _DIGEST).write_text(measurement_digest(data), encoding="utf-8")
    try:
        prepared = case.prepare(folder, data)
        _unless_there(folder / _ROW, lambda: measure(name, prepared, folder))
        if not case.unjudged:
            _unless_there(folder / _GATE, lambda: ask_gate(prepared, folder))
    except EdgeSdkError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _unless_there(path: Path, make: Callable[[], Struct]) -> None:
    if not path.is_file():
        path.write_bytes(msgspec.json.encode(make()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
