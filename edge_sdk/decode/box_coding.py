"""From the four numbers of a candidate to a box, by the formulas of :mod:`edge_sdk.contract.detector`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ..contract.detector import BoxCoding, DirectCoding, DistanceCoding, OffsetCoding
from ..contract.image import ImageInput
from ..contract.values import Array, Float32Array
from .activation import sigmoid, softmax
from .places import Places
from .raw_detections import Indices

__all__ = ["BoxDecoder", "box_decoder", "numbers_per_box"]

BoxDecoder: TypeAlias = Callable[[Float32Array, Indices], Float32Array]
"""Numbers of some candidates, ``[k, m]``, and which they are, ``[k]``, to corners in pixels, ``[k, 4]``."""

_SATURATED = np.float32(20.0)  # exp() of more: half a billion cells
_FAR = np.float32(1e6)
"""Numbers, and corners in pixels, beyond this are as good as this; products stay finite."""


def numbers_per_box(coding: BoxCoding) -> int:
    """How many numbers describe one box."""
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
    return _distance(coding, places)


def _direct(coding: DirectCoding, image: ImageInput) -> BoxDecoder:
    factor = np.array([image.width, image.height] * 2 if coding.units == "shares" else [1] * 4, np.float32)
    columns = [1, 0, 3, 2] if coding.order == "yx" else [0, 1, 2, 3]

    def decode(numbers: Float32Array, _chosen: Indices) -> Float32Array:
        values = _tame(numbers)[:, columns] * factor
        if coding.form == "center_size":
            return _around(values[:, :2], values[:, 2:] * np.float32(0.5))
        if coding.form == "corner_size":
            values[:, 2:] += values[:, :2]
        return _tame(values)

    return decode


def _offset(coding: OffsetCoding, places: Places, image: ImageInput) -> BoxDecoder:
    units = {
        "cell": places.strides,
        "anchor": places.anchors,
        "input": np.array([[image.width, image.height]], np.float32),
        "pixel": np.ones((1, 2), np.float32),
    }
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


def _distance(coding: DistanceCoding, places: Places) -> BoxDecoder:
    origins = places.corners + np.float32(coding.center_offset) * places.strides
    units = _one_if_equal(places.strides if coding.unit == "cell" else np.ones((1, 2), np.float32))
    bins = np.arange(coding.bins, dtype=np.float32)

    def decode(numbers: Float32Array, chosen: Indices) -> Float32Array:
        if coding.bins > 1:
            values = softmax(_tame(numbers).reshape(-1, 4, coding.bins)) @ bins
        else:
            values = _activated(numbers, coding.activation)
        origin, unit = origins[chosen], _of(units, chosen)
        corners = np.concatenate([origin - values[:, :2] * unit, origin + values[:, 2:] * unit], axis=1)
        return _tame(corners)

    return decode


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
    tame = _tame(values)
    return np.maximum(tame, 0) if activation == "relu" else tame
