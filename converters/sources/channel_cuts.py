"""What slices and reversals keep of each axis, in every format, and what that does to the channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from edge_sdk.contract.values import Array

__all__ = ["Cuts", "channel_axis", "onnx_cuts", "remaining_channels", "strided_cuts", "tensor_cuts"]

Cuts: TypeAlias = Mapping[int, slice]
"""What is kept of each axis that is named; of numbers that are computed nothing is known: all, then."""

_Constant: TypeAlias = Callable[[str], "Array | None"]

_BACKWARDS = slice(None, None, -1)


def onnx_cuts(node: Any, constant: _Constant) -> Cuts:
    """Of an ONNX ``Slice`` or ``ReverseSequence``; up to opset 9 a slice has attributes, not inputs."""
    said: dict[str, Any] = {one.name: list(one.ints) or one.i for one in node.attribute}
    if node.op_type == "ReverseSequence":
        return {said.get("time_axis", 0): _BACKWARDS}
    if node.op_type != "Slice":
        return {}
    names = ("starts", "ends", "axes", "steps")
    said |= {
        name: given
        for name, taken in zip(names, node.input[1:], strict=False)
        if (given := _numbers(constant, taken)) is not None
    }
    starts, ends, axes, steps = (said.get(name) for name in names)
    if axes is None:
        if len(node.input) > 3 and node.input[3]:
            return {}
        axes = range(max(len(starts or ()), len(ends or ())))
    unknown = [None] * len(axes)
    parts = zip(axes, starts or unknown, ends or unknown, steps or unknown, strict=False)
    return {axis: slice(start, end, step) for axis, start, end, step in parts}


def tensor_cuts(kind: str, taken: Sequence[str], constant: _Constant) -> Cuts:
    """Of TensorFlow's and TFLite's ``slice`` (a start and a size) and ``reversev2`` (axes)."""
    numbers = [_numbers(constant, name) for name in taken[1:]]
    if kind == "reversev2":
        return dict.fromkeys(numbers[0] or (), _BACKWARDS)
    if kind != "slice" or None in numbers:
        return {}
    starts, sizes = (part or [] for part in numbers)
    return {
        axis: slice(start, None if size < 0 else start + size)
        for axis, (start, size) in enumerate(zip(starts, sizes, strict=False))
    }


def strided_cuts(taken: Sequence[str], constant: _Constant, masks: Mapping[str, int]) -> Cuts:
    """Of TensorFlow's and TFLite's ``stridedslice``, with its masks ``begin``, ``end`` and so on by bit."""
    begin, end, strides = (_numbers(constant, name) for name in taken[1:4])
    n = len(begin or end or strides or ())
    new, ellipsis = ([bool(masks[name] >> bit & 1) for bit in range(n)] for name in ("new_axis", "ellipsis"))
    cuts: dict[int, slice] = {}
    axis = 0
    for bit in range(n):
        if ellipsis[bit]:
            axis = -(n - 1 - bit - sum(new[bit + 1 :]))  # what follows is counted from the end
            continue
        if new[bit]:
            continue
        start, stop = (
            None if values is None or masks[name] >> bit & 1 else values[bit]
            for name, values in (("begin", begin), ("end", end))
        )
        if masks["shrink_axis"] >> bit & 1 and begin is not None:
            start, stop = begin[bit], begin[bit] + 1 or None
        cuts[axis] = slice(start, stop, strides[bit] if strides else None)
        axis += 1
    return cuts


def channel_axis(shape: Sequence[int | None] | None, channels: int) -> int | None:
    """Which axis is as long as there are channels; None where none is, or several are."""
    places = [axis for axis, length in enumerate(shape or ()) if length == channels]
    return places[0] if len(places) == 1 else None


def remaining_channels(
    cuts: Cuts, before: Sequence[int | None] | None, after: Sequence[int | None] | None, channels: int
) -> list[int] | None:
    """Which channels a cut keeps, in its order; None where that is not to be seen.

    Args:
        cuts: What is kept.
        before: The shape of what is cut; None where it is unknown, as are lengths.
        after: Of what remains: it tells that channels are left out by numbers that are computed.
        channels: How many there are.
    """
    everything = list(range(channels))
    if channels == 1:
        return everything
    axis = channel_axis(before, channels)
    if axis is None or before is None:
        turned = any(cut.step is not None and cut.step < 0 for cut in cuts.values())
        return None if turned else everything
    cut = cuts.get(axis, cuts.get(axis - len(before), slice(None)))
    kept = everything[cut]
    if after is not None and len(after) == len(before) and after[axis] not in (None, -1, 0, len(kept)):
        return None
    return kept


def _numbers(constant: _Constant, name: str) -> list[int] | None:
    value = constant(name) if name else None
    return None if value is None else [int(number) for number in np.asarray(value).reshape(-1)]
