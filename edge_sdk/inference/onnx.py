"""ONNX models, run by ONNX Runtime on the CPU."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..contract.values import Array, TensorSpec
from ..errors import BackendError, MissingExtraError
from .backend import check_inputs

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["OnnxBackend"]

_FATAL_ONLY = 4  # ONNX Runtime would print each error that it also raises

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(uint16)": "uint16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


class OnnxBackend:
    """An ``.onnx`` model: see :class:`.Backend`.

    Args:
        model: Content of the file.
        threads: Threads that one inference may use.
        reference_kernels: Leave the graph as it is: no fusions, no constant folding.
        name: What to call the model in messages.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        BackendError: ONNX Runtime refuses the model.
    """

    def __init__(
        self, model: bytes, *, threads: int = 1, reference_kernels: bool = False, name: str = "model"
    ) -> None:
        self._name = name
        engine = _engine()
        self._engine_errors = _error_types(engine)
        options = engine.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL_ONLY
        if reference_kernels:
            options.graph_optimization_level = engine.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self._session: Any = engine.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except self._engine_errors as error:
            raise BackendError(
                f"ONNX Runtime cannot load {name}: {error}",
                hint="convert the model again with this edge-sdk, or update onnxruntime",
            ) from error
        self._inputs = tuple(_spec(name, node) for node in self._session.get_inputs())
        self._outputs = tuple(_spec(name, node) for node in self._session.get_outputs())
        self._output_names = [spec.name for spec in self._outputs]

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What :meth:`infer` takes, in the model's order."""
        return self._inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What :meth:`infer` gives, in the model's order."""
        return self._outputs

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: see :meth:`.Backend.infer`."""
        if self._session is None:
            raise BackendError(f"{self._name} was closed")
        check_inputs(self._name, self._inputs, tensors)
        try:
            values = self._session.run(self._output_names, dict(tensors))
        except self._engine_errors as error:
            raise BackendError(f"ONNX Runtime failed to run {self._name}: {error}") from error
        return dict(zip(self._output_names, values, strict=True))

    def close(self) -> None:
        """Release the model: see :meth:`.Backend.close`."""
        self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _engine() -> Any:
    # From 1.29 on its wheels report to Microsoft and keep a device id, unless told not to before the import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError("onnxruntime", "onnx") from error
    except ImportError as error:
        raise BackendError(f"ONNX Runtime is installed but does not load: {error}") from error
    return onnxruntime


def _error_types(engine: Any) -> tuple[type[Exception], ...]:
    """The library's exceptions have no common base but ``Exception``; they share a module."""
    state = engine.capi.onnxruntime_pybind11_state
    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)


def _spec(model: str, node: Any) -> TensorSpec:
    if node.type not in _DTYPES:
        raise BackendError(f"{model}: tensor '{node.name}' is a {node.type}, which cannot be used here")
    shape = tuple(extent if isinstance(extent, int) and extent > 0 else None for extent in node.shape)
    return TensorSpec(node.name, shape, _DTYPES[node.type])
