"""How far off a variant may be, and which of them are further off without a reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, TypeAlias

from edge_sdk.contract.manifest import Precision

from .gate import GateReport, GateVerdict
from .measure import Cell, Row

__all__ = [
    "MOST_ROUNDING",
    "OF_KERNELS",
    "TOLERANCES",
    "Standing",
    "error_of",
    "figure",
    "own_rounding",
    "standing",
    "unexplained",
    "verdict_on",
]

Standing: TypeAlias = Literal["absent", "agrees", "rounds", "kept", "refused", "unexplained", "failed"]
"""What the matrix has of a variant: none was made; its error is within the tolerance of its precision, or
within the rounding of an integer source; it is beyond, and the gate keeps it, or refuses it, or was not
asked; or making it, or running it, ended with an error that is no refusal."""

TOLERANCES: dict[Precision, float] = {
    "float32": 1e-4,
    "float16": 2e-2,
    "as_given": 1e-3,
    "dynamic": 0.1,
    "int8": 0.1,
    "mixed": 0.1,
    "int16x8": 0.1,
}
"""The most that an error may be, see :func:`error_of`."""

OF_KERNELS = 2.0
"""... or so many times what an integer source's own two sets of kernels are apart, as for ``convert``."""

MOST_ROUNDING = 0.2
"""What these may be apart at most to be a yardstick, as far as bounds of golden samples go: beyond it, one of
them is broken. The source's own form is held against this as it is, for it is what they are measured on."""

_JUDGED_BY_DECISIONS: tuple[Precision, ...] = ("float16", "dynamic", "int8", "mixed", "int16x8")
"""Where the source is float; float32 is the same model, and has no such excuse."""


def error_of(cell: Cell) -> float | None:
    """That of the kernels which are further off, infinite where they answer so; None without a variant."""
    if cell.bytes is None:
        return None
    if cell.error is None or cell.fast_error is None:  # JSON has no other word for what is not finite
        return math.inf
    return max(cell.error, cell.fast_error)


def own_rounding(row: Row) -> float:
    """How far answers of an integer source by plain and by fast kernels are apart; 0 of a float source."""
    given = row.cells.get("tflite")
    return (given.fast_error or 0.0) if row.integers and given else 0.0


def _is_rounding(row: Row, cell: Cell, error: float) -> bool:
    if not row.integers:
        return False
    times = 1.0 if cell is row.cells.get("tflite") else OF_KERNELS
    return error <= times * min(own_rounding(row), MOST_ROUNDING)


def standing(row: Row, cell: Cell, verdict: GateVerdict | None) -> Standing:
    """What the matrix has of a variant.

    Args:
        row: Of its model.
        cell: Its own.
        verdict: Of the gate; None where it was not asked.
    """
    error = error_of(cell)
    if error is None:
        return "failed" if cell.failed else "absent"
    if not math.isfinite(error):
        return "failed"
    if error <= TOLERANCES[cell.precision]:
        return "agrees"
    if _is_rounding(row, cell, error) and (verdict is None or verdict.outcome == "passed"):
        return "rounds"
    if verdict is None or not (row.integers or cell.precision in _JUDGED_BY_DECISIONS):
        return "unexplained"
    return "kept" if verdict.outcome == "passed" else "refused"


def verdict_on(name: str, variant: str, gates: Mapping[str, GateReport]) -> GateVerdict | None:
    """What the gate says of one variant; None where it was not asked."""
    return gates[name].variants.get(variant) if name in gates else None


def unexplained(rows: Mapping[str, Row], gates: Mapping[str, GateReport]) -> list[str]:
    """A line for each variant that failed, or is further off than it may be, and no gate says that it may.

    Args:
        rows: By the name of the case.
        gates: Likewise, of those that can be judged.
    """
    return [
        f"{name}: {variant} {_fault(cell)}"
        for name, row in rows.items()
        for variant, cell in row.cells.items()
        if standing(row, cell, verdict_on(name, variant, gates)) in ("unexplained", "failed")
    ]


def _fault(cell: Cell) -> str:
    error = error_of(cell)
    if error is None:
        return f"failed: {cell.reason}"
    if not math.isfinite(error):
        return "answers with values that are not finite"
    return f"is off by {error:.3g}, more than {TOLERANCES[cell.precision]:g}"


def figure(error: float) -> str:
    """As it stands on the page."""
    return f"{error:.2g}"
