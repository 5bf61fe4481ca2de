"""TensorFlow Lite models, run by LiteRT (``ai-edge-litert``).

``tflite_runtime`` and TensorFlow bring older forms of the same interpreter; they are used only
where LiteRT cannot be had.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from ..contract.values import Array, TensorSpec
from ..errors import BackendError
from .engine import import_engine, loading

__all__ = ["TFLiteEngine"]

# Named, not imported: the last one must never be a dependency of what runs in the field.
_INTERPRETER_MODULES = (
    "ai_edge_litert.interpreter",
    "tflite_runtime.interpreter",
    "tensorflow.lite.python.interpreter",
)


class _Tensor(Struct, frozen=True):
    """A tensor of the interpreter, and how callers see it.

    Attributes:
        index: The interpreter's number for it.
        spec: What callers give or get: float32 where the model's own is quantized.
        dtype: Element type inside.
        scale: Real value of one step of a quantized tensor; 0 where it is not quantized.
        zero_point: The quantized value that stands for 0.
        least: The least value that the element type holds; 0 where it is not quantized.
        most: The largest, likewise.
    """

    index: int
    spec: TensorSpec
    dtype: np.dtype[Any]
    scale: np.float32
    zero_point: np.float32
    least: int
    most: int

    def quantize(self, value: Array, steps: Array, quantized: Array) -> Array:
        """Fill ``quantized``; ``steps`` is room for what comes before it, float32.

        Five passes over all of it. Neither blocks that fit a cache nor fewer or other passes were faster
        after a model's run (`docs/reference/benchmarks.md`).
        """
        np.divide(value, self.scale, out=steps)
        np.rint(steps, out=steps)
        np.add(steps, self.zero_point, out=steps)
        np.clip(steps, self.least, self.most, out=steps)
        np.copyto(quantized, steps, casting="unsafe")
        return quantized

    def dequantize(self, value: Array, real: Array) -> Array:
        """Fill ``real``, float32."""
        np.subtract(value, self.zero_point, out=real, dtype=np.float32)
        np.multiply(real, self.scale, out=real)
        return real


class TFLiteEngine:
    """A ``.tflite`` model: see :class:`.Engine`.

    Args:
        model: Content of the file.
        threads: Threads that one inference may use.
        reference_kernels: Leave XNNPACK out.
        name: What to call the model in messages.

    Raises:
        MissingExtraError: No TFLite interpreter is installed.
        BackendError: The interpreter refuses the model.
    """

    library = "TFLite"
    errors: tuple[type[Exception], ...] = (RuntimeError, ValueError, MemoryError)

    def __init__(self, model: bytes, *, threads: int, reference_kernels: bool, name: str) -> None:
        if not model:
            raise BackendError(f"{name} is empty")
        runtime: Any = import_engine(_INTERPRETER_MODULES, "tflite", has="Interpreter")
        resolvers = runtime.OpResolverType
        resolver = resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES if reference_kernels else resolvers.AUTO
        with loading(self.library, name, self.errors):
            self._interpreter = runtime.Interpreter(
                model_content=bytes(model), num_threads=threads, experimental_op_resolver_type=resolver
            )
        self._inputs = tuple(_tensor(name, d) for d in self._interpreter.get_input_details())
        self._outputs = tuple(_tensor(name, d) for d in self._interpreter.get_output_details())
        self.inputs = tuple(tensor.spec for tensor in self._inputs)
        self.outputs = tuple(tensor.spec for tensor in self._outputs)
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._room: dict[int, tuple[Array, Array]] = {}
        self._dequantized: dict[int, Array] = {}
        with loading(self.library, name, self.errors):
            self._allocate_where_closed()

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: see :meth:`.Engine.run`."""
        self._resize(tensors)
        for tensor in self._inputs:
            value = tensors[tensor.spec.name]
            self._interpreter.set_tensor(
                tensor.index, self._quantized(tensor, value) if tensor.scale else value
            )
        self._interpreter.invoke()
        return {tensor.spec.name: self._read(tensor) for tensor in self._outputs}

    def _quantized(self, tensor: _Tensor, value: Array) -> Array:
        """The value in the model's own numbers, in memory that is kept for the next one."""
        room = self._room.get(tensor.index)
        if room is None or room[0].shape != value.shape:
            room = np.empty(value.shape, np.float32), np.empty(value.shape, tensor.dtype)
            self._room[tensor.index] = room
        return tensor.quantize(value, *room)

    def _allocate_where_closed(self) -> None:
        """Find at once what the interpreter refuses; open extents are only known at the first run."""
        if any(None in spec.shape for spec in self.inputs):
            return
        self._interpreter.allocate_tensors()
        self._shapes = {d["index"]: tuple(d["shape"].tolist()) for d in self._interpreter.get_input_details()}

    def _resize(self, tensors: Mapping[str, Array]) -> None:
        """Give open dimensions the extent of what is to come; costs nothing while it stays the same."""
        shapes = {tensor.index: tensors[tensor.spec.name].shape for tensor in self._inputs}
        if shapes == self._shapes:
            return
        known, self._shapes = self._shapes, {}  # where something is refused, the next run begins anew
        for index, shape in shapes.items():
            if known.get(index) != shape:
                self._interpreter.resize_tensor_input(index, shape, strict=True)
        self._interpreter.allocate_tensors()
        self._shapes = shapes

    def _read(self, tensor: _Tensor) -> Array:
        value: Array = self._interpreter.get_tensor(tensor.index)
        if not tensor.scale:
            return value
        real = self._dequantized.get(tensor.index)
        if real is None or real.shape != value.shape:
            self._dequantized[tensor.index] = real = np.empty(value.shape, np.float32)
        return tensor.dequantize(value, real)


def _tensor(model: str, details: Mapping[str, Any]) -> _Tensor:
    shape = tuple(None if extent < 0 else int(extent) for extent in details["shape_signature"])
    dtype = np.dtype(details["dtype"])
    scales = details["quantization_parameters"]["scales"]
    if len(scales) > 1:
        raise BackendError(f"{model}: '{details['name']}' has a scale for each channel, which no input has")
    quantized = len(scales) == 1 and dtype.kind in "iu"
    limits = np.iinfo(dtype) if quantized else None
    return _Tensor(
        index=int(details["index"]),
        spec=TensorSpec(details["name"], shape, "float32" if quantized else dtype.name),
        dtype=dtype,
        scale=np.float32(scales[0] if quantized else 0.0),
        zero_point=np.float32(details["quantization_parameters"]["zero_points"][0] if quantized else 0),
        least=limits.min if limits else 0,
        most=limits.max if limits else 0,
    )
