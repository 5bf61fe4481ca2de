"""Which output of a model holds a classifier's scores."""

from __future__ import annotations

import numpy as np

from ..errors import ModelError
from .backend import Backend, describe_tensor

__all__ = ["classes_output_name"]


def classes_output_name(name: str, backend: Backend, n_labels: int) -> str:
    """The output of that name, or the only one, for a manifest with so many labels.

    Raises:
        ModelError: There is none, or it has another number of scores.
    """
    named = [spec for spec in backend.outputs if name in ("", spec.name)]
    if len(named) != 1:
        listed = ", ".join(describe_tensor(spec) for spec in backend.outputs)
        raise ModelError(f"the manifest reads output {name!r}, but the model gives {listed}")
    extents = [extent for extent in named[0].shape if extent is not None]
    if len(extents) == len(named[0].shape) and int(np.prod(extents)) != n_labels:
        raise ModelError(
            f"the model gives {describe_tensor(named[0])}, but there are {n_labels} labels",
            hint="list one label for each output, in the model's order",
        )
    return named[0].name
