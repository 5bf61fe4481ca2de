"""The other ways to read a detector's numbers that fit its tensors: what a spec may easily have wrong."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import structs

from edge_sdk.contract.detector import (
    BoxCoding,
    CandidateBoxes,
    DetectionOutput,
    DetectionRows,
    DirectCoding,
    Grid,
    Part,
    Scale,
)
from edge_sdk.contract.detector_checks import check_detector
from edge_sdk.contract.image import ImageInput
from edge_sdk.errors import ManifestError

__all__ = ["other_readings"]

_TOGETHER = ("form", "order", "units")
"""Of a direct coding: a person who mistakes one of these may mistake all."""
_RANGES = ({"scale": 0.5, "offset": 0.5}, {"scale": 0.001, "offset": 0.0})
"""Of a direct coding with shares: numbers of -1 to 1, and of 0 to 1000."""
_MIDDLE = 0.5


def other_readings(output: DetectionOutput, image: ImageInput) -> dict[str, DetectionOutput]:
    """Each by what a spec would say; those that contradict themselves are left out.

    Args:
        output: What the spec says.
        image: The model's input.
    """
    found: dict[str, DetectionOutput] = {}
    for name, changed in itertools.chain(_codings(output), _arrangements(output, image)):
        if changed == output or changed in found.values():
            continue
        try:
            check_detector(changed, image)
        except ManifestError:
            continue
        found[name] = changed
    return found


def _codings(output: DetectionOutput) -> Iterator[tuple[str, DetectionOutput]]:
    for changes in _changes(output.coding):
        name = " and ".join(f"coding.{key} = {value!r}" for key, value in changes.items())
        changed = structs.replace(output, coding=structs.replace(output.coding, **changes))
        if isinstance(output, CandidateBoxes) and isinstance(changed, CandidateBoxes):
            scales = [_with_coding(scale, output.coding, changes) for scale in output.scales]
            changed = structs.replace(changed, scales=scales)
        yield name, changed


def _with_coding(scale: Scale, coding: BoxCoding, changes: Mapping[str, Any]) -> Scale:
    """Where a scale has its own coding of the same kind, the same is wrong in it."""
    if type(scale.coding) is not type(coding):
        return scale
    return structs.replace(scale, coding=structs.replace(scale.coding, **changes))


def _changes(coding: BoxCoding) -> Iterator[dict[str, Any]]:
    choices = _choices(type(coding))
    own = structs.asdict(coding)
    if isinstance(coding, DirectCoding):
        keys = [key for key in _TOGETHER if key in choices]
        for values in itertools.product(*(choices.pop(key) for key in keys)):
            changes = {key: value for key, value in zip(keys, values, strict=True) if value != own[key]}
            if changes:
                yield changes
        for numbers in _RANGES:
            if numbers.keys() <= own.keys():
                yield {"units": "shares", **numbers}
    if {"center_unit", "size_unit"} <= choices.keys():
        for unit in choices["center_unit"]:
            yield {"center_unit": unit, "size_unit": unit}
    for key, values in choices.items():
        yield from ({key: value} for value in values if value != own[key])
    if "center_offset" in own:
        yield {"center_offset": 0.0 if own["center_offset"] == _MIDDLE else _MIDDLE}


def _choices(kind: type[msgspec.Struct]) -> dict[str, tuple[Any, ...]]:
    """The keys with a few words to choose from."""
    described = msgspec.inspect.type_info(kind)
    fields = described.fields if isinstance(described, msgspec.inspect.StructType) else ()
    return {
        field.name: field.type.values
        for field in fields
        if isinstance(field.type, msgspec.inspect.LiteralType)
    }


def _arrangements(output: DetectionOutput, image: ImageInput) -> Iterator[tuple[str, DetectionOutput]]:
    """Where candidates are, and which number stands where."""
    if not isinstance(output, CandidateBoxes):
        first = 0 if output.first_class else 1
        yield f"first_class = {first}", structs.replace(output, first_class=first)
        if isinstance(output, DetectionRows):
            score, label = output.class_column, output.score_column
            name = f"score_column = {score} and class_column = {label}"
            yield name, structs.replace(output, score_column=score, class_column=label)
        return
    if output.background != "none":
        other = "last" if output.background == "first" else "first"
        yield f"background = '{other}'", structs.replace(output, background=other)
    strides = {_stride(grid, image) for scale in output.scales for grid in scale.grids}
    named = ", ".join(f"{stride:g}" for stride in sorted(strides))
    yield (
        f"stride = {named} in its grids",
        _with_grids(
            output, lambda grids: [structs.replace(grid, stride=_stride(grid, image)) for grid in grids]
        ),
    )
    yield "its grids in reverse order", _with_grids(output, lambda grids: grids[::-1])
    for order in _choices(Grid).get("order", ()):
        yield (
            f"order = '{order}' in its grids",
            _with_grids(
                output, lambda grids, order=order: [structs.replace(grid, order=order) for grid in grids]
            ),
        )
    yield (
        "rows and columns exchanged in axes",
        structs.replace(output, scales=[_turned(scale) for scale in output.scales]),
    )


def _with_grids(output: CandidateBoxes, change: Any) -> CandidateBoxes:
    scales = [structs.replace(scale, grids=change(scale.grids)) for scale in output.scales]
    return structs.replace(output, scales=scales)


def _stride(grid: Grid, image: ImageInput) -> float:
    """The power of two that a network of halvings has, where its last cells may reach beyond the input."""
    side = max(image.width / grid.columns, image.height / grid.rows)
    return float(2 ** math.ceil(math.log2(side)))


def _turned(scale: Scale) -> Scale:
    exchanged = {"rows": "columns", "columns": "rows"}

    def turn(part: Part) -> Part:
        return structs.replace(part, axes=[exchanged.get(axis, axis) for axis in part.axes])

    changes = {
        name: turn(part) for name in scale.__struct_fields__ if isinstance(part := getattr(scale, name), Part)
    }
    return structs.replace(scale, **changes)
