"""What a caller of a quantized TFLite model writes without a backend: for `backend_overhead.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from backend_cases import PICTURE

from edge_sdk.contract.values import Array
from edge_sdk.inference.engine import Engine
from edge_sdk.inference.tflite import TFLiteEngine

__all__ = ["TFLITE_CALLS", "by_hand"]

TFLITE_CALLS = ("set_tensor", "invoke", "get_tensor")


class _End(NamedTuple):
    """An input or output of integers."""

    tensor: int
    dtype: np.dtype[Any]
    scale: np.float32
    zero_point: np.float32


def by_hand(engine: Engine) -> dict[str, Callable[[], object]]:
    """The interpreter called with real numbers, where the model takes and gives integers; else nothing.

    Returns:
        ``new arrays``: the obvious line of NumPy, which makes an array for each of its steps.
        ``kept arrays``: the same arithmetic in memory that is there already, as the backend has it.
    """
    if not isinstance(engine, TFLiteEngine):
        return {}
    interpreter = engine._interpreter  # noqa: SLF001 - as its caller would have it
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    ends = [_end(details) for details in (taken, given)]
    if not all(end.scale for end in ends):
        return {}
    return {
        "new arrays": _with_new_arrays(interpreter, *ends),
        "kept arrays": _with_kept_arrays(interpreter, *ends),
    }


def _end(details: dict[str, Any]) -> _End:
    scale, zero_point = details["quantization"]
    return _End(details["index"], np.dtype(details["dtype"]), np.float32(scale), np.float32(zero_point))


def _with_new_arrays(interpreter: Any, taken: _End, given: _End) -> Callable[[], Array]:
    limits = np.iinfo(taken.dtype)
    set_tensor, invoke, get_tensor = (getattr(interpreter, name) for name in TFLITE_CALLS)

    def run() -> Array:
        steps = np.round(PICTURE / taken.scale) + taken.zero_point
        set_tensor(taken.tensor, np.clip(steps, limits.min, limits.max).astype(taken.dtype))
        invoke()
        real: Array = get_tensor(given.tensor).astype(np.float32) - given.zero_point
        real *= given.scale
        return real

    return run


def _with_kept_arrays(interpreter: Any, taken: _End, given: _End) -> Callable[[], Array]:
    limits = np.iinfo(taken.dtype)
    set_tensor, invoke, get_tensor = (getattr(interpreter, name) for name in TFLITE_CALLS)
    steps, integers = np.empty_like(PICTURE), np.empty(PICTURE.shape, taken.dtype)
    real = np.empty(get_tensor(given.tensor).shape, np.float32)

    def run() -> Array:
        np.divide(PICTURE, taken.scale, out=steps)
        np.rint(steps, out=steps)
        np.add(steps, taken.zero_point, out=steps)
        np.clip(steps, limits.min, limits.max, out=steps)
        np.copyto(integers, steps, casting="unsafe")
        set_tensor(taken.tensor, integers)
        invoke()
        np.subtract(get_tensor(given.tensor), given.zero_point, out=real, dtype=np.float32)
        np.multiply(real, given.scale, out=real)
        return real

    return run
