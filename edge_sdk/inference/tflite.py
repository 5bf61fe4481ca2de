"""TensorFlow Lite models, run by LiteRT (``ai-edge-litert``).

``tflite_runtime`` and TensorFlow bring older forms of the same interpreter; they are used only
where LiteRT cannot be had.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..contract.values import Array, TensorSpec
from ..errors import BackendError, MissingExtraError
from .backend import check_inputs

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["TFLiteBackend"]

# Named, not imported: the last one must never be a dependency of what runs in the field.
_INTERPRETER_MODULES = (
    "ai_edge_litert.interpreter",
    "tflite_runtime.interpreter",
    "tensorflow.lite.python.interpreter",
)
_ENGINE_ERRORS = (RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the interpreter, and how callers see it.

    Attributes:
        index: The interpreter's number for it.
        spec: What callers give or get: float32 where the model's own is quantized.
        dtype: Element type inside.
        scale: Real value of one step of a quantized tensor; 0 where it is not quantized.
        zero_point: The quantized value that stands for 0.
    """

    index: int
    spec: TensorSpec
    dtype: np.dtype[Any]
    scale: float
    zero_point: int

    def quantize(self, value: Array) -> Array:
        limits = np.iinfo(self.dtype)
        steps = np.rint(value / np.float32(self.scale)) + np.float32(self.zero_point)
        return np.clip(steps, limits.min, limits.max).astype(self.dtype)

    def dequantize(self, value: Array) -> Array:
        return (value.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)


class TFLiteBackend:
    """A ``.tflite`` model: see :class:`.Backend`.

    Args:
        model: Content of the file.
        threads: Threads that one inference may use.
        reference_kernels: Leave XNNPACK out.
        name: What to call the model in messages.

    Raises:
        MissingExtraError: No TFLite interpreter is installed.
        BackendError: The interpreter refuses the model.
    """

    def __init__(
        self, model: bytes, *, threads: int = 1, reference_kernels: bool = False, name: str = "model"
    ) -> None:
        self._name = name
        self._interpreter = _load_interpreter(model, threads, reference_kernels, name)
        self._inputs = tuple(_tensor(name, d) for d in self._interpreter.get_input_details())
        self._outputs = tuple(_tensor(name, d) for d in self._interpreter.get_output_details())
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._input_specs = tuple(tensor.spec for tensor in self._inputs)
        self._output_specs = tuple(tensor.spec for tensor in self._outputs)
        self._allocate_where_closed()

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What :meth:`infer` takes, in the model's order."""
        return self._input_specs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What :meth:`infer` gives, in the model's order."""
        return self._output_specs

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: see :meth:`.Backend.infer`."""
        if self._interpreter is None:
            raise BackendError(f"{self._name} was closed")
        check_inputs(self._name, self._input_specs, tensors)
        try:
            self._resize(tensors)
            for tensor in self._inputs:
                value = tensors[tensor.spec.name]
                self._interpreter.set_tensor(tensor.index, tensor.quantize(value) if tensor.scale else value)
            self._interpreter.invoke()
            return {tensor.spec.name: self._read(tensor) for tensor in self._outputs}
        except _ENGINE_ERRORS as error:
            raise BackendError(f"TFLite failed to run {self._name}: {error}") from error

    def close(self) -> None:
        """Release the model: see :meth:`.Backend.close`."""
        self._interpreter = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _allocate_where_closed(self) -> None:
        """Find at once what the interpreter refuses; open extents are only known at the first run."""
        if any(None in spec.shape for spec in self._input_specs):
            return
        try:
            self._interpreter.allocate_tensors()
        except _ENGINE_ERRORS as error:
            raise _load_error(self._name, error) from error
        self._shapes = {d["index"]: tuple(d["shape"].tolist()) for d in self._interpreter.get_input_details()}

    def _resize(self, tensors: Mapping[str, Array]) -> None:
        """Give open dimensions the extent of what is to come; costs nothing while it stays the same."""
        resized = False
        for tensor in self._inputs:
            shape = tensors[tensor.spec.name].shape
            if self._shapes.get(tensor.index) != shape:
                self._interpreter.resize_tensor_input(tensor.index, shape, strict=True)
                self._shapes[tensor.index] = shape
                resized = True
        if resized:
            self._interpreter.allocate_tensors()

    def _read(self, tensor: _Tensor) -> Array:
        value: Array = self._interpreter.get_tensor(tensor.index)
        return tensor.dequantize(value) if tensor.scale else value


def _load_interpreter(model: bytes, threads: int, reference_kernels: bool, name: str) -> Any:  # noqa: FBT001
    if not model:
        raise BackendError(f"{name} is empty")
    engine = _interpreter_module()
    resolvers = engine.OpResolverType
    resolver = resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES if reference_kernels else resolvers.AUTO
    try:
        return engine.Interpreter(
            model_content=bytes(model), num_threads=threads, experimental_op_resolver_type=resolver
        )
    except _ENGINE_ERRORS as error:
        raise _load_error(name, error) from error


def _load_error(name: str, error: Exception) -> BackendError:
    return BackendError(
        f"TFLite cannot load {name}: {error}",
        hint="convert the model again with this edge-sdk, or update the TFLite runtime",
    )


def _interpreter_module() -> ModuleType:
    for module in _INTERPRETER_MODULES:
        with contextlib.suppress(ModuleNotFoundError):
            return _import_interpreter(module)
    raise MissingExtraError("ai_edge_litert", "tflite")


def _import_interpreter(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        raise BackendError(f"{module} is installed but does not load: {error}") from error


def _tensor(model: str, details: Mapping[str, Any]) -> _Tensor:
    shape = tuple(None if extent < 0 else int(extent) for extent in details["shape_signature"])
    dtype = np.dtype(details["dtype"])
    scales = details["quantization_parameters"]["scales"]
    if len(scales) > 1:
        raise BackendError(f"{model}: '{details['name']}' has a scale for each channel, which no input has")
    quantized = len(scales) == 1 and dtype.kind in "iu"
    return _Tensor(
        index=int(details["index"]),
        spec=TensorSpec(details["name"], shape, "float32" if quantized else dtype.name),
        dtype=dtype,
        scale=float(scales[0]) if quantized else 0.0,
        zero_point=int(details["quantization_parameters"]["zero_points"][0]) if quantized else 0,
    )
