"""How one window's features become a model's input tensor."""

from __future__ import annotations

from ..contract.values import TensorSpec
from ..errors import ModelError
from .backend import describe_tensor

__all__ = ["fit_shape"]


def fit_shape(spec: TensorSpec, features: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to give features, so that a model takes them.

    Only axes of 1 may be added or left out (batch, channel). Axes are never exchanged: a
    transposed spectrogram has as many elements, and would be heard as something else.

    Args:
        spec: The model's input; open extents become 1 where that fits.
        features: Shape of one window's features, without a batch axis.

    Raises:
        ModelError: The model takes another number of elements, or another order; names both shapes.
    """
    fitted = _match(spec.shape, features)
    if fitted is not None:
        return fitted
    transposed = len(features) == 2 and _match(spec.shape, features[::-1]) is not None
    raise ModelError(
        f"the model takes {describe_tensor(spec)}, but its front end makes {list(features)}",
        hint="time and mel bands are exchanged: set the front end's layout to the other one"
        if transposed
        else "the front end's parameters are not those that the model was trained with",
    )


def _match(model: tuple[int | None, ...], features: tuple[int, ...]) -> tuple[int, ...] | None:
    """Assign the features' axes to the model's in order; ``None`` where that cannot be done."""
    if not model:
        return () if all(extent == 1 for extent in features) else None
    extent, rest = model[0], model[1:]
    if extent in (1, None):
        shorter = _match(rest, features)
        if shorter is not None:
            return (1, *shorter)
    if features and (extent is None or extent == features[0]):
        shorter = _match(rest, features[1:])
        if shorter is not None:
            return (features[0], *shorter)
    return None if not features or features[0] != 1 else _match(model, features[1:])
