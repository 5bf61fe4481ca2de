"""A picture becomes a model's input tensor: the same way in calibration, evaluation and in the field."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..contract.image import ImageInput, channel_count, image_shape
from ..contract.values import Array, Pixels, TensorSpec
from ..errors import ModelError
from ..image.placement import Placement
from ..image.prepare import Preparation
from .backend import Backend, describe_tensor
from .tensor_fit import fit_shape

__all__ = ["ImageFeed", "fit_image"]

_BYTES = "uint8"
_COLORS: Mapping[int | None, str] = {1: "color = 'gray'", 3: "color = 'rgb' or 'bgr'"}
"""What has so many channels."""


class ImageFeed:
    """Prepares pictures for one backend.

    Args:
        image: The manifest's input.
        backend: The loaded model.
        tensors: What this model file calls the manifest's tensors, where it calls them otherwise.

    Raises:
        ModelError: The model's input does not fit the manifest; names both shapes.
    """

    def __init__(self, image: ImageInput, backend: Backend, tensors: Mapping[str, str]) -> None:
        spec = _input_spec(tensors.get(image.name, image.name), backend)
        self._name = spec.name
        self._shape = fit_image(image, spec)
        self._as_bytes = spec.dtype == _BYTES
        self._preparation = Preparation(image)

    def tensors(self, pixels: Pixels) -> tuple[dict[str, Array], Placement]:
        """What the backend is given for a picture, and where the picture lies in it.

        The tensor is valid until the next call.

        Raises:
            ImageError: It is no picture.
        """
        tensor, placement = self._preparation.tensor(pixels)
        shaped = tensor if tensor.shape == self._shape else tensor.reshape(self._shape)
        return {self._name: _to_bytes(shaped) if self._as_bytes else shaped}, placement

    def tensor_for(self, pixels: Pixels) -> Array:
        """A copy of the tensor alone, with its batch axis: for calibration."""
        fed, _ = self.tensors(pixels)
        return fed[self._name].copy()


def fit_image(image: ImageInput, spec: TensorSpec) -> tuple[int, ...]:
    """The shape of one picture's tensor, batch of 1.

    Raises:
        ModelError: The model takes another size, layout or element type; names both.
    """
    if spec.dtype == _BYTES:
        if image.mean != (0.0,) or image.std != (1.0,):
            raise ModelError(
                f"the model takes {describe_tensor(spec)}: pixels as they are, but they would be scaled",
                hint="it scales them itself: preprocessing = 'none'",
            )
    elif spec.dtype != "float32":
        raise ModelError(f"the model must take float32 or uint8, but takes {describe_tensor(spec)}")
    shape = image_shape(image)
    try:
        return fit_shape(spec, shape)
    except ModelError as error:
        raise ModelError(
            f"the model takes {describe_tensor(spec)}, but the picture becomes {list(shape)}",
            hint=_hint(image, spec) or "the model wants something else than one picture of that description",
        ) from error


def _hint(image: ImageInput, spec: TensorSpec) -> str | None:
    """What in the description of the picture would fit; what fits already is not named."""
    if len(spec.shape) not in (3, 4):
        return None
    first, middle, last = spec.shape[-3:]
    is_nchw = image.layout == "nchw"
    turned = (last if is_nchw else first) in _COLORS and (first if is_nchw else last) not in _COLORS
    is_nchw ^= turned
    channels, height, width = (first, middle, last) if is_nchw else (last, first, middle)
    wanted = []
    if channels in _COLORS and channels != channel_count(image.color):
        wanted.append(_COLORS[channels])
    sizes = (("height", height, image.height), ("width", width, image.width))
    if turned or any(size not in (None, given) for _, size, given in sizes):
        wanted += [f"{name} = {size}" for name, size, _ in sizes if size is not None]
    if turned:
        where, layout = ("first", "nchw") if is_nchw else ("last", "nhwc")
        return (
            f"the model has its channels {where}: layout = '{layout}'{''.join(f', {one}' for one in wanted)}"
        )
    return f"the model wants {', '.join(wanted)}" if wanted else None


def _to_bytes(tensor: Array) -> Array:
    return np.clip(np.rint(tensor), 0, 255).astype(np.uint8)


def _input_spec(name: str, backend: Backend) -> TensorSpec:
    named = [spec for spec in backend.inputs if name in ("", spec.name)]
    if len(backend.inputs) != 1 or not named:
        listed = ", ".join(describe_tensor(spec) for spec in backend.inputs)
        raise ModelError(f"the model must take one tensor {name!r}, but takes {listed}")
    return named[0]
