"""``[image]`` of a SPEC.toml: size and preparation of a picture, with the usual ones by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge_sdk.contract.image import ColorOrder, ImageInput, Interpolation, ResizeMode
from edge_sdk.errors import SpecError

__all__ = ["PRESETS", "AcceptSpec", "ImageSpec", "Preset", "build_image_input"]

PresetName = Literal["caffe", "tf", "torch", "unit", "none"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A known way to scale pixels of 0..255.

    Attributes:
        color: The channel order that it was trained with.
        mean, std: ``(pixel - mean) / std``, by channel in that order.
    """

    color: ColorOrder
    mean: tuple[float, ...]
    std: tuple[float, ...]


PRESETS: dict[str, Preset] = {
    # The modes of keras.applications.imagenet_utils.preprocess_input; a test holds them to it.
    "caffe": Preset("bgr", (103.939, 116.779, 123.68), (1.0,)),
    "tf": Preset("rgb", (127.5,), (127.5,)),
    "torch": Preset("rgb", (0.485 * 255, 0.456 * 255, 0.406 * 255), (0.229 * 255, 0.224 * 255, 0.225 * 255)),
    "unit": Preset("rgb", (0.0,), (255.0,)),
    "none": Preset("rgb", (0.0,), (1.0,)),
}
"""``unit`` makes 0..1; ``none`` leaves 0..255, for models that scale pixels themselves."""


Reason = Annotated[str, Meta(pattern=r"\S.*\S")]


class AcceptSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[image.accept]``: what is right though the model contradicts it, each with the reason."""

    preprocessing: Reason | None = None
    color: Reason | None = None
    resize: Reason | None = None

    def reasons(self) -> dict[str, str]:
        """By key, those that are given."""
        given = {"preprocessing": self.preprocessing, "color": self.color, "resize": self.resize}
        return {key: reason for key, reason in given.items() if reason is not None}


class ImageSpec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[image]``: the fields of :class:`edge_sdk.contract.image.ImageInput`.

    Attributes:
        preprocessing: A preset, or ``mean`` and ``std`` instead; one of the two is needed.
        color: Defaults to the preset's order, else to ``rgb``.
        accept: Contradictions that do not end the conversion.
    """

    width: Annotated[int, Meta(ge=1, le=8192)]
    height: Annotated[int, Meta(ge=1, le=8192)]
    layout: Literal["nhwc", "nchw"] = "nhwc"
    color: ColorOrder | None = None
    resize: ResizeMode = "stretch"
    interpolation: Interpolation = "bilinear"
    crop_fraction: Annotated[float, Meta(gt=0.0, le=1.0)] | None = None
    pad_value: Annotated[float, Meta(ge=0.0, le=255.0)] | None = None
    pad_anchor: Literal["center", "top_left"] | None = None
    preprocessing: PresetName | None = None
    mean: float | list[float] | None = None
    std: float | list[float] | None = None
    accept: AcceptSpec = AcceptSpec()


def build_image_input(path: Path, image: ImageSpec, tensor_name: str) -> ImageInput:
    """The manifest's input for ``[image]``.

    Raises:
        SpecError: Pixels are scaled in two ways or in none, or a key does not belong to the resize
            mode.
    """
    _refuse_idle_keys(path, image)
    scaling = _scaling(path, image)
    try:
        return ImageInput(
            name=tensor_name,
            width=image.width,
            height=image.height,
            layout=image.layout,
            color=scaling.color,
            resize=image.resize,
            interpolation=image.interpolation,
            crop_fraction=1.0 if image.crop_fraction is None else image.crop_fraction,
            pad_value=114.0 if image.pad_value is None else image.pad_value,
            pad_anchor=image.pad_anchor or "center",
            mean=scaling.mean,
            std=scaling.std,
        )
    except ValueError as error:
        raise SpecError(f"{path}: [image]: {error}") from error


def _scaling(path: Path, image: ImageSpec) -> Preset:
    given = image.mean is not None or image.std is not None
    if given == (image.preprocessing is not None):
        raise SpecError(
            f"{path}: [image] needs either preprocessing or mean and std, so that pixels are scaled once",
            hint=f"preprocessing is one of {', '.join(PRESETS)}; 'none' leaves 0..255",
        )
    if image.preprocessing is None:
        _refuse_shares(path, image)
        return Preset(image.color or "rgb", _channels(image.mean, 0.0), _channels(image.std, 1.0))
    preset = PRESETS[image.preprocessing]
    if image.color in (None, preset.color):
        return preset
    if len(preset.mean) == 1 and len(preset.std) == 1:
        return Preset(image.color or preset.color, preset.mean, preset.std)
    raise SpecError(
        f"{path}: preprocessing '{image.preprocessing}' has its channels in the order {preset.color}, but "
        f"color is '{image.color}'",
        hint="leave color out; or give mean and std in the order of color",
    )


def _refuse_shares(path: Path, image: ImageSpec) -> None:
    """Papers give mean and deviation of pixels of 0..1; taken from 0..255 they make a picture all white."""
    mean, std = _channels(image.mean, 0.0), _channels(image.std, 1.0)
    if std and 0 < max(std) < 1 and all(0 <= value <= 1 for value in mean):
        scaled = [[round(255 * value, 3) for value in values] for values in (mean, std)]
        raise SpecError(
            f"{path}: [image] mean and std look as if pixels were 0..1, but they are 0..255 here",
            hint=f"mean = {scaled[0]}, std = {scaled[1]}; ImageNet's are preprocessing = 'torch'",
        )


def _channels(value: float | list[float] | None, default: float) -> tuple[float, ...]:
    if value is None:
        return (default,)
    return tuple(value) if isinstance(value, list) else (value,)


def _refuse_idle_keys(path: Path, image: ImageSpec) -> None:
    """A key without effect says that somebody believes something else about the resize."""
    used = {"crop_fraction": "crop", "pad_value": "letterbox", "pad_anchor": "letterbox"}
    for key, mode in used.items():
        if getattr(image, key) is not None and image.resize != mode:
            raise SpecError(
                f"{path}: [image] {key} has no effect with resize = '{image.resize}'",
                hint=f"set resize = '{mode}', or leave {key} out",
            )
