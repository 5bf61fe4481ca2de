"""A model's answer, tensor by tensor: there, of finite numbers, and flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..contract.values import Array, Float32Array, TensorSpec
from ..errors import BackendError, ModelError
from .finite import all_finite

__all__ = ["TensorReader", "called", "find_spec", "finite", "refuse_no_score"]

_ROUNDING = 1 / 128  # a sigmoid or softmax inside the model may leave 0..1 by two steps of 8 bits


class TensorReader:
    """The tensors of one answer; each is looked through once, whoever asks for it.

    Args:
        outputs: As a backend gives them, by name.
    """

    def __init__(self, outputs: Mapping[str, Array]) -> None:
        self._outputs = outputs
        self._flat: dict[str, Float32Array] = {}

    def shape(self, name: str) -> tuple[int, ...]:
        """Of the tensor of that name, or of the only one for ``""``."""
        return self.raw(name).shape

    def raw(self, name: str) -> Array:
        """The tensor as it is.

        Raises:
            ModelError: There is no such output.
        """
        tensor = self._outputs.get(name)
        if tensor is not None:
            return tensor
        if not name and len(self._outputs) == 1:
            return next(iter(self._outputs.values()))
        shapes = {key: list(value.shape) for key, value in self._outputs.items()}
        raise _no_such_output(name, shapes)

    def flat(self, name: str) -> Float32Array:
        """Its numbers as float32, shape ``[n]``; not to be written to.

        Raises:
            BackendError: A number is not finite. It must not pass as a box or as none.
        """
        flat = self._flat.get(name)
        if flat is None:
            raw = self.raw(name).reshape(-1)
            flat = finite(name, raw if raw.dtype == np.float32 else raw.astype(np.float32))
            self._flat[name] = flat
        return flat


def finite(name: str, values: Float32Array) -> Float32Array:
    """The same values.

    Raises:
        BackendError: One is infinite or not a number.
    """
    if not all_finite(values):
        place = int(np.flatnonzero(~np.isfinite(values))[0])
        raise BackendError(f"number {place} of {called(name)} is {values[place]}, not a finite number")
    return values


def refuse_no_score(name: str, values: Array) -> None:
    """Refuse what cannot be a score though no activation is left to apply.

    Raises:
        BackendError: A value is not within 0..1.
    """
    if not values.size:
        return
    # Where they are, not what they are: NumPy's reductions are more code, none of which is in the cache.
    row = values.ravel(order="K")
    lowest, highest = row[row.argmin()], row[row.argmax()]
    if not (lowest >= -_ROUNDING and highest <= 1 + _ROUNDING):
        worst = values.flat[int(np.abs(values - 0.5).argmax())]
        raise BackendError(
            f"{called(name)} has {worst:g} where a score from 0 to 1 should be",
            hint="they may be logits: then the detector's activation must be sigmoid or softmax",
        )


def find_spec(name: str, outputs: Sequence[TensorSpec]) -> TensorSpec:
    """The output of that name, or the only one for ``""``.

    Raises:
        ModelError: There is none; the message lists those there are.
    """
    for spec in outputs:
        if spec.name == name or (not name and len(outputs) == 1):
            return spec
    shapes = {spec.name: ["?" if side is None else side for side in spec.shape] for spec in outputs}
    raise _no_such_output(name, shapes)


def called(name: str) -> str:
    """An output, as messages name it."""
    return f"the model's output '{name}'" if name else "the model's output"


def _no_such_output(name: str, shapes: Mapping[str, Sequence[object]]) -> ModelError:
    listed = "; ".join(f"{key} [{', '.join(map(str, shape))}]" for key, shape in shapes.items())
    missing = (
        f"the model has no output '{name}'" if name else "the detector does not say which output it reads"
    )
    return ModelError(missing, hint=f"the model's outputs: {listed or 'none'}")
