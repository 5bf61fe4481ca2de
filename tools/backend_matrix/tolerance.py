"""How far off a variant may be, and which of them are further off without a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from edge_sdk.contract.manifest import Precision

from .gate import GateReport, GateVerdict
from .measure import Cell, Row

__all__ = [
    "TOLERANCES",
    "Standing",
    "error_of",
    "figure",
    "own_rounding",
    "standing",
    "unexplained",
    "verdict_on",
]

Standing: TypeAlias = Literal["absent", "agrees", "rounds", "kept", "refused", "unexplained"]
"""What the matrix has of a variant: none was made; its error is within the tolerance of its precision, or
within the rounding of an integer source; it is beyond, and the gate keeps it, or refuses it, or was not
asked."""

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

_OF_KERNELS = 2.0
"""... or so many times what an integer source's own two sets of kernels are apart, as for ``convert``."""

_JUDGED_BY_DECISIONS: tuple[Precision, ...] = ("float16", "dynamic", "int8", "mixed", "int16x8")
"""Where the source is float; float32 is the same model, and has no such excuse."""


def error_of(cell: Cell) -> float | None:
    """That of the kernels which are further off; None without a variant."""
    if cell.error is None or cell.fast_error is None:
        return None
    return max(cell.error, cell.fast_error)


def own_rounding(row: Row) -> float:
    """How far answers of an integer source by plain and by fast kernels are apart; 0 of a float source."""
    given = row.cells.get("tflite")
    return (given.fast_error or 0.0) if row.integers and given else 0.0


def standing(row: Row, cell: Cell, verdict: GateVerdict | None) -> Standing:
    """What the matrix has of a variant.

    Args:
        row: Of its model.
        cell: Its own.
        verdict: Of the gate; None where it was not asked.
    """
    error = error_of(cell)
    if error is None:
        return "absent"
    if error <= TOLERANCES[cell.precision]:
        return "agrees"
    if error <= _OF_KERNELS * own_rounding(row):
        return "rounds"
    if verdict is None or not (row.integers or cell.precision in _JUDGED_BY_DECISIONS):
        return "unexplained"
    return "kept" if verdict.outcome == "passed" else "refused"


def verdict_on(name: str, variant: str, gates: Mapping[str, GateReport]) -> GateVerdict | None:
    """What the gate says of one variant; None where it was not asked."""
    return gates[name].variants.get(variant) if name in gates else None


def unexplained(rows: Mapping[str, Row], gates: Mapping[str, GateReport]) -> list[str]:
    """A line for each variant that is further off than it may be, and of which no gate says that it may.

    Args:
        rows: By the name of the case.
        gates: Likewise, of those that can be judged.
    """
    return [
        f"{name}: {variant} is off by {error:.3g}, more than {TOLERANCES[cell.precision]:g}"
        for name, row in rows.items()
        for variant, cell in row.cells.items()
        if standing(row, cell, verdict_on(name, variant, gates)) == "unexplained"
        and (error := error_of(cell)) is not None
    ]


def figure(error: float) -> str:
    """As it stands on the page."""
    return f"{error:.2g}"
