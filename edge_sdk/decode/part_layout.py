"""Where each candidate's numbers stand in a tensor, whatever the order of its axes.

A tensor is seen as ``[outer, values, inner]`` without being copied: what comes before the axis of
values, and what comes behind it. One pair of an outer and an inner index is a place; tables lead
from places to candidates and back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..contract.detector import Part, Scale
from ..contract.values import Float32Array
from ..errors import ModelError
from .places import Places
from .raw_detections import Indices
from .tensor_reader import called

__all__ = ["PartLayout", "lay_out"]


@dataclass(frozen=True, slots=True)
class PartLayout:
    """One part of one scale in a tensor of known shape.

    Attributes:
        tensor: Its name.
        outer, values, inner: The tensor's extents, seen so.
        start: The first of the part's numbers on the axis of values.
        around: Name and extent of every other axis than the values', in the tensor's order.
        axes_before: How many of them come before the values.
        candidate_of_place: Shape ``[candidates]``.
        place_of_candidate: Its inverse.
        first_number: Where each candidate's first number stands in the flattened tensor.
        run: The same as a slice, where the distance from one to the next is always the same.
        offsets: Where each of a candidate's numbers stands, counted from its first.
    """

    tensor: str
    outer: int
    values: int
    inner: int
    start: int
    around: list[tuple[str, int]]
    axes_before: int
    candidate_of_place: Indices
    place_of_candidate: Indices
    first_number: Indices
    run: slice | None
    offsets: Indices

    @property
    def candidates(self) -> int:
        """How many there are."""
        return len(self.candidate_of_place)

    def columns(self, flat: Float32Array, start: int, count: int) -> Float32Array:
        """So many values of all places: a view of shape ``[outer, count, inner]``."""
        return flat.reshape(self.outer, self.values, self.inner)[:, start : start + count]

    def first_numbers(self, flat: Float32Array) -> Float32Array:
        """The first number of each candidate, shape ``[candidates]``; a view where that can be."""
        return flat.take(self.first_number) if self.run is None else flat[self.run]

    def gather(self, flat: Float32Array, candidates: Indices) -> Float32Array:
        """All numbers of some candidates.

        Args:
            flat: The tensor, shape ``[n]``.
            candidates: Shape ``[k]``.

        Returns:
            Shape ``[k, numbers]``, in whatever order in memory.
        """
        if self.outer == 1:  # row by row, which takes a third of the time of one index for each number
            rows = flat.reshape(self.values, self.inner)[self.start : self.start + len(self.offsets)]
            return rows.take(self.place_of_candidate.take(candidates), axis=1).T
        gathered: Float32Array = flat.take(self.first_number.take(candidates)[:, None] + self.offsets)
        return gathered

    def pick(self, flat: Float32Array, candidates: Indices, numbers: Indices) -> Float32Array:
        """One number of each of some candidates, shape ``[k]``; which, counted from its first."""
        return flat.take(self.first_number.take(candidates) + numbers * self.inner)


def lay_out(
    where: str, part: Part, count: int, scale: Scale, places: Places | None, shape: tuple[int, ...]
) -> PartLayout:
    """Find a part's numbers in a tensor.

    Args:
        where: What it is, for the message.
        part: Which tensor, and what its axes count.
        count: How many numbers a candidate has in it.
        scale: The scale that it is a part of.
        places: The scale's candidates; None where only the tensor says how many there are.
        shape: The tensor's.

    Raises:
        ModelError: The tensor has other axes or extents; names it, and both shapes.
    """
    expected = _expected(part, scale, places)
    fits = len(shape) == len(part.axes) and all(
        extent in (None, found) for extent, found in zip(expected, shape, strict=True)
    )
    anchors = places.anchors_per_cell if places else 1
    shared = {
        "anchors_values": anchors,
        "values_anchors": anchors,
        "candidates_values": len(places.corners) if places else 1,
    }
    if not fits or any(side % shared.get(axis, 1) for axis, side in zip(part.axes, shape, strict=True)):
        raise ModelError(
            f"{where} stands in {called(part.tensor)} as {_described(part, expected)}, but that has the "
            f"shape {list(shape)}",
            hint="the detector's axes, its grids, or the order of its scales are not those of the model",
        )
    extents = [
        pair
        for axis, side in zip(part.axes, shape, strict=True)
        if axis != "batch"
        for pair in _split(axis, side, shared.get(axis, 1))
    ]
    if "values" not in dict(extents):
        extents.append(("values", 1))
    return _laid_out(part, count, extents)


def _expected(part: Part, scale: Scale, places: Places | None) -> list[int | None]:
    grid = scale.grids[0] if scale.grids else None
    by_anchor = bool({"anchors", "anchors_values", "values_anchors"} & set(part.axes))
    known: dict[str, int | None] = {"batch": 1}
    if places is not None:
        known["anchors"] = places.anchors_per_cell
        known["candidates"] = places.cells if by_anchor else len(places.corners)
    if grid is not None:
        known["rows"], known["columns"] = grid.rows, grid.columns
    return [known.get(axis) for axis in part.axes]


def _described(part: Part, expected: list[int | None]) -> str:
    sides = zip(part.axes, expected, strict=True)
    return f"[{', '.join(axis if known is None else f'{axis} {known}' for axis, known in sides)}]"


def _split(axis: str, side: int, others: int) -> list[tuple[str, int]]:
    """An axis of values that it shares with so many others, as two; any other as it is."""
    if axis == "values_anchors":
        return [("values", side // others), ("anchors", others)]
    if axis in {"anchors_values", "candidates_values"}:
        return [(axis.removesuffix("_values"), others), ("values", side // others)]
    return [(axis, side)]


def _laid_out(part: Part, count: int, extents: list[tuple[str, int]]) -> PartLayout:
    """See everything before and behind the values as one axis each."""
    at = [axis for axis, _ in extents].index("values")
    inner = math.prod(side for _, side in extents[at + 1 :])
    around = [pair for pair in extents if pair[0] != "values"]
    candidate_of_place = _in_order(around)
    place = np.argsort(candidate_of_place, kind="stable")
    values = extents[at][1]
    first_number = place // inner * (values * inner) + place % inner + part.start * inner
    return PartLayout(
        tensor=part.tensor,
        outer=math.prod(side for _, side in extents[:at]),
        values=values,
        inner=inner,
        start=part.start,
        around=around,
        axes_before=at,
        candidate_of_place=candidate_of_place,
        place_of_candidate=place,
        first_number=first_number,
        run=_run(first_number),
        offsets=np.arange(count) * inner,
    )


def _run(numbers: Indices) -> slice | None:
    """What is as far from one to the next everywhere, as a slice."""
    steps = np.diff(numbers)
    if not len(steps) or steps[0] <= 0 or (steps != steps[0]).any():
        return None
    return slice(int(numbers[0]), int(numbers[-1]) + 1, int(steps[0]))


def _in_order(around: list[tuple[str, int]]) -> Indices:
    """For each place in the tensor's order the number of its candidate: rows, columns, anchors."""
    rank = {"candidates": 0, "rows": 0, "columns": 1, "anchors": 2}
    order = sorted(range(len(around)), key=lambda index: rank[around[index][0]])
    numbers = np.arange(math.prod(side for _, side in around)).reshape([around[index][1] for index in order])
    return numbers.transpose(np.argsort(order)).reshape(-1)
