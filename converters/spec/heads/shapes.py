"""What the axes of a head's outputs count, found from their extents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge_sdk.contract.detector import Axis
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import SpecError

__all__ = ["GridTensor", "HeadModel", "RowTensor", "as_grid", "as_rows", "refusal", "squeezed"]

_GRID_FORMS: tuple[tuple[Axis, ...], ...] = (
    ("batch", "anchors", "rows", "columns", "values"),
    ("batch", "anchors", "values", "rows", "columns"),
    ("batch", "rows", "columns", "anchors", "values"),
    ("batch", "anchors_values", "rows", "columns"),
    ("batch", "rows", "columns", "anchors_values"),
)
_ROW_FORMS: tuple[tuple[Axis, ...], ...] = (
    ("batch", "candidates", "values"),
    ("batch", "values", "candidates"),
    ("candidates", "values"),
    ("values", "candidates"),
)


class HeadModel(NamedTuple):
    """What is known of a detector before its head is described.

    Attributes:
        head: The name that its head goes by.
        image: Its input.
        n_labels: How many labels it has, without a background.
        tensors: Its outputs.
    """

    head: str
    image: ImageInput
    n_labels: int
    tensors: Sequence[TensorSpec]


class GridTensor(NamedTuple):
    """An output that keeps rows and columns."""

    name: str
    axes: list[Axis]
    rows: int
    columns: int


class RowTensor(NamedTuple):
    """An output in which all candidates stand in a row."""

    name: str
    axes: list[Axis]
    candidates: int
    values: int


def refusal(model: HeadModel, wanted: str) -> SpecError:
    """The error for outputs that are not those of a head; the hint lists them."""
    listed = "; ".join(
        f"{spec.name} [{', '.join('?' if side is None else str(side) for side in spec.shape)}]"
        for spec in model.tensors
    )
    return SpecError(
        f"head '{model.head}' needs {wanted}",
        hint=f"the model's outputs: {listed or 'none'}; any other head can be described in full",
    )


def as_grid(spec: TensorSpec, anchors: int, values: int) -> GridTensor | None:
    """Read an output as rows and columns of anchors with so many values each; None where it is not."""
    for form in _GRID_FORMS:
        extents = _extents(form, spec)
        known = {"batch": 1, "anchors": anchors, "values": values, "anchors_values": anchors * values}
        fits = len(form) == len(spec.shape) and all(
            side is not None and known.get(axis, side) == side for axis, side in extents.items()
        )
        if fits:
            return GridTensor(spec.name, list(form), extents["rows"] or 0, extents["columns"] or 0)
    return None


def as_rows(spec: TensorSpec, values: int) -> RowTensor | None:
    """Read an output as candidates with so many values each; None where it is not."""
    for form in _ROW_FORMS:
        extents = _extents(form, spec)
        candidates = extents.get("candidates")
        if len(form) != len(spec.shape) or candidates is None:
            continue
        if extents["values"] == values and extents.get("batch", 1) == 1:
            return RowTensor(spec.name, list(form), candidates, values)
    return None


def _extents(form: Sequence[Axis], spec: TensorSpec) -> dict[Axis, int | None]:
    """By axis. An open batch axis, as Keras exports it, is run with one picture."""
    extents = dict(zip(form, spec.shape, strict=False))
    if extents.get("batch", 1) is None:
        extents["batch"] = 1
    return extents


def squeezed(spec: TensorSpec) -> tuple[int | None, ...]:
    """Its shape without axes of 1."""
    return tuple(side for side in spec.shape if side != 1)
