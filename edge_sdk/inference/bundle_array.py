"""Arrays out of a bundle: nothing is set aside for what a header only claims."""

from __future__ import annotations

import io
import math
import tokenize
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ..contract.bundle import Bundle
from ..errors import BundleError

__all__ = ["read_array"]

_ScalarT = TypeVar("_ScalarT", np.float32, np.uint8)

# What NumPy raises on a header that somebody made up: it reads it as a Python literal.
_NO_NPY_HEADER = (ValueError, TypeError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError)


def read_array(
    bundle: Bundle, name: str, scalar: type[_ScalarT], shape: tuple[int | None, ...], *, empty: bool = False
) -> npt.NDArray[_ScalarT]:
    """A ``.npy`` member.

    Args:
        bundle: Where it is.
        name: The member.
        scalar: Its element type.
        shape: Its shape; None for any extent.
        empty: Whether it may have no rows.

    Raises:
        BundleError: It is no array, of another type or shape, cut off, or not finite.
    """
    content = bundle.read(name)
    try:
        extents, by_columns, dtype, offset = _npy_header(content)
    except _NO_NPY_HEADER as error:
        raise BundleError(f"'{name}' in {bundle.path} is no .npy array: {error}") from error
    fits = len(extents) == len(shape) and all(
        want in (None, have) and (have > 0 or (empty and axis == 0))
        for axis, (have, want) in enumerate(zip(extents, shape, strict=False))
    )
    whole = len(content) - offset == math.prod(extents) * dtype.itemsize
    if fits and whole and dtype == scalar and not by_columns:
        array: npt.NDArray[_ScalarT] = np.frombuffer(content, scalar, offset=offset).reshape(extents)
        if np.isfinite(array).all():
            return array
    wanted = ", ".join("n" if extent is None else str(extent) for extent in shape)
    raise BundleError(
        f"'{name}' in {bundle.path} must hold finite {scalar.__name__} of shape [{wanted}], "
        f"but holds {len(content) - offset} bytes of {dtype} {list(extents)}"
    )


def _npy_header(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether it runs by columns, element type, and where the elements begin (NumPy's NEP 1)."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) == (1, 0):
        header = np.lib.format.read_array_header_1_0(stream)
    else:
        header = np.lib.format.read_array_header_2_0(stream)
    return (*header, stream.tell())
