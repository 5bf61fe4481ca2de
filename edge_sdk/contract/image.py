"""What a picture model is fed: size, axes, colours, how a picture is made to fit, and its scaling.

What computes it lives in :mod:`edge_sdk.image`; here is only what workstation and device must agree on.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

__all__ = ["ColorOrder", "ImageInput", "Interpolation", "ResizeMode", "channel_count", "image_shape"]

ColorOrder: TypeAlias = Literal["rgb", "bgr", "gray"]
ResizeMode: TypeAlias = Literal["stretch", "letterbox", "crop"]
Interpolation: TypeAlias = Literal["nearest", "bilinear", "opencv_bilinear", "bicubic", "area"]

_Side: TypeAlias = Annotated[int, Meta(ge=1, le=8192)]
_PixelValue: TypeAlias = Annotated[float, Meta(ge=0.0, le=255.0)]


class ImageInput(Struct, frozen=True, kw_only=True, tag="image", tag_field="kind"):
    """A model input that is made from a picture.

    The stages, in this order: resize, colour order, ``(pixel - mean) / std`` in float32, layout.
    Pixels are 0..255 before they are scaled, whatever the file's bit depth was.

    Attributes:
        name: The tensor's name, or ``""`` for the model's only input.
        width: Of the model's input, in pixels.
        height: Of the model's input, in pixels.
        layout: ``nhwc`` (TensorFlow) or ``nchw`` (PyTorch).
        color: Order of the channels; ``gray`` has one (ITU-R BT.601 luma).
        resize: ``stretch`` to the size without regard to the aspect ratio; ``letterbox``: the whole
            picture in its aspect ratio, the rest filled; ``crop``: the middle of the picture.
        interpolation: How new pixels are computed. ``area`` averages, and is best for making smaller.
            ``opencv_bilinear`` is what OpenCV does unasked and many detectors were trained with: as
            ``bilinear``, but otherwise rounded.
        crop_fraction: ``crop`` only: what is kept is this share of the largest rectangle of the
            input's shape in the middle, as in the usual 224 of 256 (0.875).
        pad_value: ``letterbox`` only: fills what the picture leaves empty.
        pad_anchor: ``letterbox`` only: where the picture stands, ``center`` or ``top_left``.
        mean: Subtracted, by channel in the model's order; one number serves all channels.
        std: Divided by afterwards.
    """

    name: str = ""
    width: _Side
    height: _Side
    layout: Literal["nhwc", "nchw"] = "nhwc"
    color: ColorOrder = "rgb"
    resize: ResizeMode = "stretch"
    interpolation: Interpolation = "bilinear"
    crop_fraction: Annotated[float, Meta(gt=0.0, le=1.0)] = 1.0
    pad_value: _PixelValue = 114.0
    pad_anchor: Literal["center", "top_left"] = "center"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        allowed = (1, channel_count(self.color))
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in allowed or not all(math.isfinite(value) for value in values):
                raise ValueError(f"{name} must be one finite number, or one for each channel of {self.color}")
        if any(value <= 0 for value in self.std):
            raise ValueError("std must be above 0: pixels are divided by it")


def channel_count(color: ColorOrder) -> int:
    """Channels of a picture in that colour order."""
    return 1 if color == "gray" else 3


def image_shape(image: ImageInput) -> tuple[int, int, int]:
    """The shape of one picture's tensor, without a batch axis."""
    channels = channel_count(image.color)
    if image.layout == "nchw":
        return (channels, image.height, image.width)
    return (image.height, image.width, channels)
