"""A second look at the scaling, which right answers may hide: what the first normalisation remembers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_sdk.contract.image import ImageInput, channel_count
from edge_sdk.contract.values import Array

from ..sources.first_normalization import FURTHEST, spread_ratio
from ..sources.input_scaling import own_scaling
from ..spec.image_table import PRESETS
from .case import Case

__all__ = ["check_spread"]


def check_spread(case: Case[Any], tensors: Sequence[Array]) -> list[str]:
    """Warn where the model's first layers see values that vary much more, or less, than in training.

    No refusal: what is fed in the field may be darker or flatter than what was trained on, and a model
    that was trained for a few steps remembers little.

    Args:
        case: The model and its spec; may accept a contradiction of ``preprocessing``.
        tensors: What the model is fed for a few samples.
    """
    ratio = spread_ratio(case.source, tensors)
    if ratio is None or 1 / FURTHEST <= ratio <= FURTHEST:
        return []
    said = f"the first batch normalisation sees values that vary {ratio:.2g} times as much as in training"
    image = case.spec.input
    if not isinstance(image, ImageInput):
        return [f"{said}: are the front end's decibels, mean and std those of the training?"]
    if own_scaling(case.source, channel_count(image.color)) is None:
        said = f"{said}; {_nearest(image, ratio)}"
    if case.acceptance.covers("preprocessing"):
        case.acceptance.take({"preprocessing": said}, "")
        return []
    return [f"{said}: are pixels scaled under [image] as in training?"]


def _nearest(image: ImageInput, ratio: float) -> str:
    """The preset with which they would vary most nearly as much."""
    now = float(np.mean(image.std))
    would = {name: ratio * now / float(np.mean(preset.std)) for name, preset in PRESETS.items()}
    name = min(would, key=lambda preset: abs(np.log(would[preset])))
    return f"with preprocessing = '{name}' it would be about {would[name]:.2g}"
