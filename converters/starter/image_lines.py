"""``[image]`` of a spec to begin with."""

from __future__ import annotations

from typing import NamedTuple

from edge_sdk.contract.values import TensorSpec
from edge_sdk.errors import UsageError
from edge_sdk.inference.backend import describe_tensor

from .lines import Lines, fill_in, known

__all__ = ["Picture", "image_lines", "picture_of"]

_CHANNELS = (1, 3)


class Picture(NamedTuple):
    """A model's input as far as its shape tells; None for what is open.

    Attributes:
        layout: None where both ends of the shape could count channels.
    """

    width: int | None
    height: int | None
    channels: int
    layout: str | None


def picture_of(taken: TensorSpec) -> Picture | None:
    """Read a shape as one picture; None where it is none."""
    batched = len(taken.shape) == 4 or taken.shape[:1] in ((1,), (None,))
    shape = taken.shape[1:] if batched else taken.shape
    if len(taken.shape) == 3 and len(shape) == 2:
        return Picture(shape[1], shape[0], 1, "nhwc")
    if len(shape) != 3:
        return None
    first, last = shape[0] in _CHANNELS, shape[2] in _CHANNELS
    if last:
        return Picture(shape[1], shape[0], shape[2] or 0, None if first else "nhwc")
    return Picture(shape[2], shape[1], shape[0] or 0, "nchw") if first else None


def image_lines(model: str, taken: TensorSpec) -> Lines:
    """Size and preparation for a model that looks at pictures.

    Raises:
        UsageError: The model's input is no picture.
    """
    picture = picture_of(taken)
    if picture is None or taken.dtype not in ("float32", "uint8"):
        raise UsageError(
            f"{model} takes {describe_tensor(taken)}, which is no picture",
            hint="is it a model for sound? --task sound",
        )
    return [
        "[image]",
        _size("width", picture.width),
        _size("height", picture.height),
        fill_in("layout", "'nhwc': channels last; 'nchw': channels first")
        if picture.layout is None
        else known("layout", picture.layout),
        _color(picture),
        *_scaling(taken),
        fill_in("resize", "how pictures were made to fit: 'stretch', 'letterbox' or 'crop'"),
        '# interpolation = "bilinear"  # which holds if nothing else is said',
        "",
    ]


def _size(key: str, extent: int | None) -> str:
    return fill_in(key, "pixels; the model takes any") if extent is None else known(key, extent)


def _color(picture: Picture) -> str:
    if picture.channels == 1:
        return known("color", "gray")
    return fill_in("color", "'rgb', as Keras and Pillow read; 'bgr', as OpenCV reads, and for 'caffe'")


def _scaling(taken: TensorSpec) -> Lines:
    if taken.dtype == "uint8":
        return [known("preprocessing", "none", "the model takes bytes")]
    return [
        "# How pixels of 0..255 were scaled: in Keras, the mode of the model's preprocess_input.",
        "# Or say mean = [...] and std = [...] instead.",
        fill_in("preprocessing", "'tf': -1..1; 'unit': 0..1; 'torch'; 'caffe'; 'none': the model does it"),
    ]
