"""What a model does to its input before its first layer: scaling that must not be done twice.

A graph that begins with additions and multiplications by constants scales its own pixels, whether a
Keras ``Rescaling`` or ``Normalization`` layer, a ``preprocess_input`` or an exporter put them there, and
whether pictures are resized, padded or cropped before that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_sdk.contract.image import ImageInput, channel_count
from edge_sdk.contract.values import Array
from edge_sdk.errors import SpecError

from .scaling_operations import onnx_steps, tensorflow_steps, tflite_steps
from .scaling_walk import Step
from .source_model import SourceModel

__all__ = ["OwnScaling", "check_scaling", "own_scaling"]

_PIXELS = 255.0
_SHRUNK = 0.1
"""Pixels that a model and the spec both make ten times smaller are scaled twice."""
_NARROW = 0.3
"""From black to white: no model is trained on so little."""
_WIDE = 400.0
"""Beyond what any model is fed, even one that takes 0..255."""
_FAR = 2.0
"""Where pixels lie so many times the distance of black from white away from 0, another mean was taken out."""


@dataclass(frozen=True)
class OwnScaling:
    """``value * gain + offset``, by channel or the same for all.

    Attributes:
        gain, offset: float64, shape ``[channels]`` or ``[1]``.
    """

    gain: Array
    offset: Array

    def __str__(self) -> str:
        gain, offset = (", ".join(f"{value:.4g}" for value in part) for part in (self.gain, self.offset))
        return f"input * {gain} + {offset}" if len(self.gain) == 1 else f"input * [{gain}] + [{offset}]"


def own_scaling(source: SourceModel, channels: int) -> OwnScaling | None:
    """What the graph does to its input before anything else; None where that is nothing.

    Args:
        source: The model.
        channels: Of its input.
    """
    gain, offset = np.ones(1), np.zeros(1)
    order = np.arange(channels)
    for kind, constant in _steps(source, channels):
        if kind == "order":
            order = order[constant]
            continue
        value = np.asarray(constant, dtype=np.float64).reshape(-1)
        if len(value) not in (1, channels):
            break  # by place, not by channel: that is a layer
        if len(value) == channels:
            value = value[np.argsort(order)]  # by channel of the input
        if kind in ("add", "subtract"):
            offset = offset + (value if kind == "add" else -value)
        else:
            factor = value if kind == "multiply" else 1 / value
            gain, offset = gain * factor, offset * factor
    if np.allclose(gain, 1) and np.allclose(offset, 0):
        return None
    return OwnScaling(*(np.array(part) for part in np.broadcast_arrays(gain, offset)))


def check_scaling(image: ImageInput, source: SourceModel) -> None:
    """Refuse a spec that scales pixels which the model scales itself, or that leaves it to nobody.

    Raises:
        SpecError: What the first layer would see is no range that a model is trained on.
    """
    own = own_scaling(source, channel_count(image.color))
    if own is None:
        return
    mean, std = (np.asarray(part, dtype=np.float64) for part in (image.mean, image.std))
    low, high = -mean / std, (_PIXELS - mean) / std
    seen = np.stack([low * own.gain + own.offset, high * own.gain + own.offset])
    said = f"{source.name} scales its input itself ({own}), and the spec makes pixels {_range(low, high)}"
    shown = f"its first layer would see {_range(seen.min(axis=0), seen.max(axis=0))}"
    if _is_twice(own, low, high):
        raise SpecError(
            f"{said}: they would be scaled twice, and {shown}",
            hint="set preprocessing = 'none' under [image], or the one that the model's own scaling expects",
        )
    if float(np.abs(seen).max()) > _WIDE:
        raise SpecError(
            f"{said}: {shown}, which no model is trained on",
            hint="the model wants scaled pixels: preprocessing = 'unit' or 'tf' under [image]",
        )


def _is_twice(own: OwnScaling, low: Array, high: Array) -> bool:
    gain, middle = np.abs(own.gain), -own.offset / own.gain
    span = high - low
    shrunk = float(gain.max()) <= _SHRUNK and float(span.max()) <= _SHRUNK * _PIXELS
    narrow = float((span * gain).max()) < _NARROW
    # A mean of 0..255 is taken out of pixels that are no longer that.
    far = bool((np.abs((low + high) / 2 - middle) > _FAR * span).all())
    # The mean of 0..1 is taken out by the model (as torchvision's), or that of 0..255 (as Caffe's), or
    # 0..255 are made 0..1 ...
    takes_unit = bool(((middle > 0.3) & (middle < 0.7) & (gain > 1.5)).all())
    takes_pixels = bool(((middle > 80) & (middle < 150)).all()) or (
        not own.offset.any() and np.allclose(gain, 1 / _PIXELS, rtol=0.01)
    )
    # ... from pixels that the spec has centred already.
    centred = bool((low < -0.2 * span).all())
    return shrunk or narrow or far or (centred and (takes_unit or takes_pixels))


def _range(low: Array, high: Array) -> str:
    return f"{float(np.min(low)) + 0.0:.4g}..{float(np.max(high)):.4g}"  # no -0


def _steps(source: SourceModel, channels: int) -> list[Step]:
    content: Any = source.content
    if source.traced is not None:
        return tensorflow_steps(source.traced.flat, channels)
    if source.format == "onnx":
        return onnx_steps(content, source.input.name, channels)
    return tflite_steps(content, source.input.name, channels)
