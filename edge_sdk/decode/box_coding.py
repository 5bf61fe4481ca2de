"""From the four numbers of a candidate to a box, by the formulas of :mod:`edge_sdk.contract.detector`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ..contract.detector import (
    BoxCoding,
    CellCoding,
    CornerCoding,
    DirectCoding,
    DistanceCoding,
    OffsetCoding,
)
from ..contract.image import ImageInput
from ..contract.values import Array, Float32Array
from .activation import sigmoid, softmax, softplus
from .places import Places
from .raw_detections import Indices

__all__ = ["BoxDecoder", "box_decoder", "numbers_per_box"]

BoxDecoder: TypeAlias = Callable[[Float32Array, Indices], Float32Array]
"""Numbers of some candidates, ``[k, m]``, and which they are, ``[k]``, to corners in pixels, ``[k, 4]``."""

_SATURATED = np.float32(20.0)  # exp() of more: half a billion cells
_FAR = np.float32(1e6)
"""Numbers, and corners in pixels, beyond this are as good as this; products stay finite."""
_EDGES = {"ltrb": [0, 1, 2, 3], "tlbr": [1, 0, 3, 2], "tblr": [2, 0, 3, 1], "lrtb": [0, 2, 1, 3]}
"""Where the left, the top, the right and the bottom edge stand in each order."""
_PAIRS = {"xy": [0, 1, 2, 3], "yx": [1, 0, 3, 2], "xx": [0, 2, 1, 3], "yy": [2, 0, 3, 1]}
"""Where the two numbers of the first pair stand in each order, x before y, and those of the second."""


def numbers_per_box(coding: BoxCoding) -> int:
    """How many numbers describe one box."""
    if isinstance(coding, CellCoding):
        return 0
    return 4 * coding.bins if isinstance(coding, DistanceCoding) else 4


def box_decoder(coding: BoxCoding, places: Places | None, image: ImageInput) -> BoxDecoder:
    """Prepare everything that does not depend on a picture.

    Args:
        coding: What the numbers mean.
        places: The candidates; may be None for a direct coding.
        image: The model's input.
    """
    if isinstance(coding, DirectCoding):
        return _direct(coding, image)
    if places is None:
        raise ValueError("boxes relative to cells need cells")
    if isinstance(coding, OffsetCoding):
        return _offset(coding, places, image)
    if isinstance(coding, CornerCoding):
        return _corner(coding, places, image)
    if isinstance(coding, CellCoding):
        return _cell(coding, places)
    return _distance(coding, places, image)


def _direct(coding: DirectCoding, image: ImageInput) -> BoxDecoder:
    unit = np.array([image.width, image.height] if coding.units == "shares" else [1, 1], np.float64)
    scale_y = coding.scale if coding.scale_y is None else coding.scale_y
    factor = np.tile(unit * [coding.scale, scale_y], 2).astype(np.float32)
    shift = np.tile(unit * coding.offset, 2).astype(np.float32)
    if coding.form != "corners":
        shift[2:] = 0  # a size is where it is
    columns = _PAIRS[coding.order]

    def decode(numbers: Float32Array, _chosen: Indices) -> Float32Array:
        values = _activated(numbers, coding.activation)[:, columns] * factor
        if coding.offset:
            values += shift
        if coding.form == "center_size":
            return _around(values[:, :2], values[:, 2:] * np.float32(0.5))
        if coding.form == "corner_size":
            values[:, 2:] += values[:, :2]
        return _tame(values)

    return decode


def _offset(coding: OffsetCoding, places: Places, image: ImageInput) -> BoxDecoder:
    units = _units(places, image)
    origins = places.corners + np.float32(coding.center_offset) * places.strides
    center_units = _one_if_equal(units[coding.center_unit] * np.float32(coding.center_scale))
    half_units = _one_if_equal(units[coding.size_unit] * np.float32(0.5))
    size_factor, size_scale = np.float32(coding.size_factor), np.float32(coding.size_scale)

    def decode(numbers: Float32Array, chosen: Indices) -> Float32Array:
        values = numbers[:, [1, 0, 3, 2]] if coding.order == "yx" else numbers
        centers = _activated(values[:, :2], coding.center_activation) * _of(center_units, chosen)
        centers += origins.take(chosen, axis=0)
        sizes = values[:, 2:]
        if size_factor != 1:
            sizes = _tame(sizes) * size_factor
        sizes = _activated(sizes, coding.size_activation)
        if size_scale != 1:
            sizes = sizes * size_scale
        if coding.size_power != 1:
            sizes = np.maximum(sizes, 0) ** np.float32(coding.size_power)
        return _around(centers, sizes * _of(half_units, chosen))

    return decode


def _corner(coding: CornerCoding, places: Places, image: ImageInput) -> BoxDecoder:
    middles = places.corners + np.float32(coding.center_offset) * places.strides
    half = places.anchors * np.float32(0.5)
    origins = np.concatenate([middles - half, middles + half], axis=1)
    units = _one_if_equal(np.tile(_units(places, image)[coding.unit] * np.float32(coding.scale), (1, 2)))
    columns = _PAIRS[coding.order]

    def decode(numbers: Float32Array, chosen: Indices) -> Float32Array:
        return _tame(origins.take(chosen, axis=0) + _tame(numbers)[:, columns] * _of(units, chosen))

    return decode


def _cell(coding: CellCoding, places: Places) -> BoxDecoder:
    half = places.strides * np.float32(0.5)
    middles = places.corners + half

    def decode(_numbers: Float32Array, chosen: Indices) -> Float32Array:
        sides = half.take(chosen, axis=0) * np.float32(coding.scale)
        return _around(middles.take(chosen, axis=0), sides)

    return decode


def _distance(coding: DistanceCoding, places: Places, image: ImageInput) -> BoxDecoder:
    origins = places.corners + np.float32(coding.center_offset) * places.strides
    units = _one_if_equal(_units(places, image)[coding.unit] * np.float32(coding.scale))
    bins = np.arange(coding.bins, dtype=np.float32)
    edges = _EDGES[coding.order]

    def decode(numbers: Float32Array, chosen: Indices) -> Float32Array:
        if coding.bins > 1:
            values = softmax(_tame(numbers).reshape(-1, 4, coding.bins)) @ bins
        else:
            values = _activated(numbers, coding.activation)
        if coding.order != "ltrb":
            values = values[:, edges]
        origin, unit = origins[chosen], _of(units, chosen)
        corners = np.concatenate([origin - values[:, :2] * unit, origin + values[:, 2:] * unit], axis=1)
        return _tame(corners)

    return decode


def _units(places: Places, image: ImageInput) -> dict[str, Float32Array]:
    """Width and height of what 1 may mean, of each candidate or of all."""
    return {
        "cell": places.strides,
        "anchor": places.anchors,
        "input": np.array([[image.width, image.height]], np.float32),
        "pixel": np.ones((1, 2), np.float32),
    }


def _tame(numbers: Float32Array) -> Float32Array:
    # Not clip(), which takes a detour through Python.
    tamed: Float32Array = np.minimum(np.maximum(numbers, -_FAR), _FAR)
    return tamed


def _one_if_equal(units: Float32Array) -> Float32Array:
    """One row where all candidates have the same, which need not be gathered then."""
    return units[:1] if (units == units[:1]).all() else units


def _of(units: Float32Array, chosen: Indices) -> Float32Array:
    return units if len(units) == 1 else units.take(chosen, axis=0)


def _around(centers: Array, half: Array) -> Float32Array:
    corners = np.empty((len(centers), 4), np.float32)
    np.subtract(centers, half, out=corners[:, :2])
    np.add(centers, half, out=corners[:, 2:])
    return _tame(corners)


def _activated(values: Float32Array, activation: str) -> Float32Array:
    if activation == "sigmoid":
        return sigmoid(values)
    if activation == "tanh":
        return np.tanh(values)
    if activation == "exp":
        return np.exp(np.minimum(values, _SATURATED))
    if activation == "softplus":
        return softplus(_tame(values))
    tame = _tame(values)
    return np.maximum(tame, 0) if activation == "relu" else tame
