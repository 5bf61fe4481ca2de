"""The page of the matrix, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from edge_sdk.contract.manifest import Precision

from .cases import CASES
from .measure import Cell, Row

__all__ = ["matrix_page"]

_TFLITE = ("float32", "float16", "dynamic", "int8", "mixed", "int16x8", "as given")
_ONNX = ("float32", "float16", "int8", "mixed", "as given")

_TOLERANCES: dict[Precision, float] = {
    "float32": 1e-4,
    "float16": 2e-2,
    "as_given": 1e-3,
    "dynamic": 0.1,
    "int8": 0.1,
    "mixed": 0.1,
    "int16x8": 0.1,
}

_NOT_ASKED = "the source's own form, or what tf2onnx makes of it, stands in the last column"

_HEAD = """# Backends

Which form of which model agrees with the model it was made from, on which backend. Measured and written by

```sh
python -m tools.backend_matrix --work matrix-out --page docs/reference/backends.md
```

A number is the error of the outputs relative to the source model's: the root of the squared differences' sum,
over that of the values, of the worst output of the worst sample; by plain kernels, and after the stroke by
those that a device uses by default, where that is another number. It is **bold where it is over the
tolerance** of its precision: {tolerances}.
What is over is not therefore unfit: `convert` judges by decisions, and refuses a variant that decides worse
([the gate](../explanation/accuracy-gate.md)). A bracket names the reason why a cell is empty. Samples are
recordings and photos that were not calibrated with.
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


def matrix_page(rows: Mapping[str, Row]) -> str:
    """The page.

    Args:
        rows: By the name of the case.
    """
    notes: dict[str, int] = {}
    kinds = ", ".join(f"{name} {bound:g}" for name, bound in _TOLERANCES.items())
    parts = [_HEAD.format(tolerances=kinds.replace("as_given", "as given"))]
    if absent := [case.title for name, case in CASES.items() if name not in rows]:
        parts.append(f"Not measured in the run that wrote this page: {', '.join(absent)}.")
    for title, prefix, columns in (("TFLite", "tflite", _TFLITE), ("ONNX", "onnx", _ONNX)):
        parts.append(f"\n## {title}\n")
        parts += _table(rows, prefix, columns, _error_cell, notes)
    parts.append("\n## ONNX with TensorRT-RTX's parser and builder\n")
    parts += _table(rows, "onnx", _ONNX, _build_cell, notes)
    parts.append(_WHERE)
    if notes:
        parts.append("## Reasons\n")
        parts += [f"{number}. {reason}" for reason, number in notes.items()]
    return "\n".join(parts) + "\n"


def _table(
    rows: Mapping[str, Row],
    prefix: str,
    columns: Sequence[str],
    show: Callable[[Cell | None, dict[str, int]], str],
    notes: dict[str, int],
) -> list[str]:
    lines = [f"| Model | from | samples | {' | '.join(columns)} |", "|---" * (3 + len(columns)) + "|"]
    for name, row in rows.items():
        case = CASES[name]
        cells = [
            show(row.cells.get(prefix if column == "as given" else f"{prefix}-{column}"), notes)
            for column in columns
        ]
        lines.append(f"| {case.title} | {case.source} | {row.samples} | {' | '.join(cells)} |")
    return lines


def _error_cell(cell: Cell | None, notes: dict[str, int]) -> str:
    if cell is None:
        return _note(_NOT_ASKED, notes)
    if cell.error is None or cell.fast_error is None:
        return _note(cell.reason, notes)
    text = f"{cell.error:.1e}"
    if f"{cell.fast_error:.1e}" != text:
        text += f" / {cell.fast_error:.1e}"
    over = max(cell.error, cell.fast_error) > _TOLERANCES[cell.precision]
    return f"**{text}**" if over else text


def _build_cell(cell: Cell | None, notes: dict[str, int]) -> str:
    if cell is None:
        return _note(_NOT_ASKED, notes)
    if cell.build is None:
        return _note(cell.reason, notes)
    refusals = [f"{refusal.operator} '{refusal.node}': {refusal.reason}" for refusal in cell.build.refusals]
    return "builds" if cell.build.passed else "refused " + _note("; ".join(refusals), notes)


def _note(reason: str, notes: dict[str, int]) -> str:
    return f"[{notes.setdefault(reason, len(notes) + 1)}]"
