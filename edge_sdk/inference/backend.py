"""What every inference engine looks like from outside."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..contract.values import Array, TensorSpec
from ..errors import BackendError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["MAX_THREADS", "Backend", "check_inputs", "describe_tensor"]

MAX_THREADS = 64
"""Engines take any number and crash with a hundred thousand."""


class Backend(Protocol):
    """One loaded model, on one engine, for one thread.

    A quantized model takes and gives float32 here: the backend quantizes and dequantizes at its
    edges by the scales in the file.
    """

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What :meth:`infer` takes, in the model's order."""
        ...

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What :meth:`infer` gives, in the model's order."""
        ...

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once.

        Args:
            tensors: One array for each input, by name.

        Returns:
            One array for each output, by name; valid until the next call.

        Raises:
            BackendError: A tensor does not fit the model, or the engine failed.
        """
        ...

    def close(self) -> None:
        """Release the model. Closing twice is harmless; nothing else may follow."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def check_inputs(model: str, specs: tuple[TensorSpec, ...], tensors: Mapping[str, Array]) -> None:
    """Hold tensors against what a model takes, before an engine sees them.

    Args:
        model: Its name, for the message.
        specs: What it takes.
        tensors: What it is given.

    Raises:
        BackendError: A name, element type or shape differs; the message gives both sides.
    """
    if len(tensors) != len(specs):
        raise BackendError(f"{model} takes {_names(specs)}, but was given {', '.join(tensors) or 'nothing'}")
    for spec in specs:
        value = tensors.get(spec.name)
        if value is None:
            raise BackendError(f"{model} takes {_names(specs)}, but was given {', '.join(tensors)}")
        if value.dtype != _element_type(spec.dtype) or not _fits(value.shape, spec.shape):
            raise BackendError(
                f"{model} takes {describe_tensor(spec)}, but was given {value.dtype.name} {list(value.shape)}"
            )


def describe_tensor(spec: TensorSpec) -> str:
    """A tensor for a message: ``'patch' float32 [any, 96, 64]``."""
    extents = ", ".join("any" if extent is None else str(extent) for extent in spec.shape)
    return f"'{spec.name}' {spec.dtype} [{extents}]"


@cache
def _element_type(name: str) -> np.dtype[Any]:
    """NumPy's object for a name, kept: to look a name up, or to spell one out, costs microseconds a call."""
    return np.dtype(name)


def _names(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(describe_tensor(spec) for spec in specs) or "no tensor"


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return shape == expected or (
        len(shape) == len(expected)
        and all(
            have == want or (want is None and have > 0) for have, want in zip(shape, expected, strict=True)
        )
    )
