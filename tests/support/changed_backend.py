"""A device that computes a little, or something, else than another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from edge_sdk.contract.values import Array
from edge_sdk.inference.backend import Backend

if TYPE_CHECKING:
    from typing_extensions import Self

OBJECTNESS_AND_CLASSES = [0, *range(5, 85)]
"""Of FastestDet's 85 values a cell."""


class ChangedBackend:
    """A backend whose answers are those of another one, but for what is done to them."""

    def __init__(self, backend: Backend, change: Callable[[Array], Array]) -> None:
        self.inputs, self.outputs = backend.inputs, backend.outputs
        self._backend, self._change = backend, change

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def close(self) -> None: ...

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        return {name: self._change(value) for name, value in self._backend.infer(tensors).items()}


def rounded(seed: int, share: float) -> Callable[[Array], Array]:
    """Each number off by about so much of itself, in each picture by the same."""

    def change(value: Array) -> Array:
        noise = np.random.default_rng(seed).standard_normal(value.shape)
        off = (value * (1 + share * noise)).astype(np.float32)
        off[:, OBJECTNESS_AND_CLASSES] = off[:, OBJECTNESS_AND_CLASSES].clip(0, 1)
        return off

    return change
