"""The page of the matrix, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from edge_sdk.contract.manifest import Precision

from .cases import CASES
from .gate import GateReport
from .gate_section import gate_section, short_reason, verdict_link
from .measure import Cell, Row
from .notes import Notes
from .tolerance import (
    MOST_ROUNDING,
    OF_KERNELS,
    TOLERANCES,
    error_of,
    figure,
    own_rounding,
    standing,
    verdict_on,
)

__all__ = ["matrix_page"]

_TFLITE = ("float32", "float16", "dynamic", "int8", "mixed", "int16x8", "as given")
_ONNX = ("float32", "float16", "int8", "mixed", "as given")

_NOT_ASKED = "the source's own form, or what tf2onnx makes of it, stands in the last column"

_ROUNDS = (
    "the source is quantized, and its answers by TFLite's plain kernels and by its fast ones are {} apart; "
    f"up to {OF_KERNELS:g} times that, of {MOST_ROUNDING:g} at most, is its own rounding"
)

_HEAD = """# Backends

Which form of which model agrees with the model it was made from, on which backend. Measured and written by

```sh
python -m tools.backend_matrix --work matrix-out --page docs/reference/backends.md
```

A number is the error of the outputs relative to the source model's: the root of the squared differences'
sum, over that of the values, of the worst output of the worst sample, by plain kernels or by those that a
device uses by default, whichever are further off. Samples are recordings and photos; none is both calibrated
on and compared on. The tolerance of a precision stands over its column.

| A cell | says |
|---|---|
| number | within the tolerance: the variant agrees with its source |
| number, refused | it agrees, but [the gate](#what-the-gate-says) refuses it for its decisions |
| number, kept | beyond the tolerance, but it decides as its source does: the gate keeps it |
| number, rounds | as far off as the source's own rounding to integers: see the note |
| [n] | no such variant: the [reason](#reasons) of that number says why |
| **number** | beyond the tolerance, and nothing speaks for it: the command ends with exit status 1 |
| **not finite** | it answers with infinity or no number: likewise |
| **failed** [n] | making or running it ended with an error that is no refusal of the conversion: likewise |
"""

_WHERE = """
## Where it ran

| Backend | Here | Elsewhere |
|---|---|---|
| `tflite` (LiteRT, CPU) | this page | |
| `onnx` (ONNX Runtime, CPU) | this page | |
| `onnx` (ONNX Runtime, CUDA) | not here: no GPU | [an H100](gpu.md) |
| `tensorrt` with TensorRT-RTX | parses and builds, this page; never run | |
| `tensorrt` with TensorRT, on a Jetson | never | **never run on a Jetson** |
"""


def matrix_page(rows: Mapping[str, Row], gates: Mapping[str, GateReport]) -> str:
    """The page.

    Args:
        rows: By the name of the case.
        gates: Likewise, of those that can be judged.
    """
    notes = Notes()
    parts = [_HEAD]
    if absent := [case.title for name, case in CASES.items() if name not in rows]:
        parts.append(f"Not measured in the run that wrote this page: {', '.join(absent)}.")

    def error_cell(name: str, variant: str, cell: Cell) -> str:
        return _error_cell(name, variant, rows[name], cell, gates, notes)

    def build_cell(_name: str, _variant: str, cell: Cell) -> str:
        return _build_cell(cell, notes)

    for title, prefix, columns in (("TFLite", "tflite", _TFLITE), ("ONNX", "onnx", _ONNX)):
        parts.append(f"\n## {title}\n")
        parts += _table(rows, prefix, {column: _headed(column) for column in columns}, error_cell, notes)
    parts.append("\n## ONNX with TensorRT-RTX's parser and builder\n")
    parts += _table(rows, "onnx", {column: column for column in _ONNX}, build_cell, notes)
    parts += gate_section(gates, [name for name in rows if name not in gates], notes)
    parts.append(_WHERE.rstrip())
    parts += notes.lines()
    return "\n".join(parts) + "\n"


def _headed(column: str) -> str:
    return f"{column} ≤ {TOLERANCES[_precision(column)]:g}"


def _precision(column: str) -> Precision:
    return next(precision for precision in TOLERANCES if precision == column.replace(" ", "_"))


def _table(
    rows: Mapping[str, Row],
    prefix: str,
    columns: Mapping[str, str],
    show: Callable[[str, str, Cell], str],
    notes: Notes,
) -> list[str]:
    """A table of models by variants.

    Args:
        rows: The models, by the name of the case.
        prefix: Of the variants' names.
        columns: What stands over each of them.
        show: What stands in the cell of a model's variant.
        notes: For reasons.
    """
    lines = [
        f"| Model | from | calibrated on / compared on | {' | '.join(columns.values())} |",
        "|---" * (3 + len(columns)) + "|",
    ]
    variants = [prefix if column == "as given" else f"{prefix}-{column}" for column in columns]
    for name, row in rows.items():
        case = CASES[name]
        cells = [
            show(name, variant, row.cells[variant]) if variant in row.cells else notes.mark(_NOT_ASKED)
            for variant in variants
        ]
        samples = f"{row.calibration} / {row.samples}"
        lines.append(f"| {case.title} | {case.source} | {samples} | {' | '.join(cells)} |")
    return lines


def _error_cell(
    name: str, variant: str, row: Row, cell: Cell, gates: Mapping[str, GateReport], notes: Notes
) -> str:
    error, verdict = error_of(cell), verdict_on(name, variant, gates)
    if error is None:
        return f"**failed** {notes.mark(cell.reason)}" if cell.failed else notes.mark(cell.reason)
    link = verdict_link(name, variant, gates)
    match standing(row, cell, verdict):
        case "kept":
            return f"{figure(error)} {link}"
        case "refused" if verdict is not None:
            refused = f"off by {figure(error)}, and the gate refuses it: "
            off = "" if verdict.outcome == "left_out" else refused
            return notes.mark(off + short_reason(verdict))
        case "rounds":
            return f"{figure(error)} rounds {notes.mark(_ROUNDS.format(figure(own_rounding(row))))}"
        case "unexplained" | "failed":
            return f"**{error:.3g}**" if math.isfinite(error) else "**not finite**"
        case _:
            is_refused = verdict is not None and verdict.outcome == "refused"
            return f"{figure(error)} {link}" if is_refused else figure(error)


def _build_cell(cell: Cell, notes: Notes) -> str:
    if cell.build is None:
        return notes.mark(cell.reason or "TensorRT-RTX did not answer")
    refusals = [f"{refusal.operator} '{refusal.node}': {refusal.reason}" for refusal in cell.build.refusals]
    return "builds" if cell.build.passed else "refused " + notes.mark("; ".join(refusals))
