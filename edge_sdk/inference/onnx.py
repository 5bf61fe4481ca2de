"""ONNX models, run by ONNX Runtime on the CPU."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..contract.values import Array, TensorSpec
from ..errors import BackendError
from .engine import import_engine, loading

__all__ = ["OnnxEngine"]

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


class OnnxEngine:
    """An ``.onnx`` model: see :class:`.Engine`.

    Args:
        model: Content of the file.
        threads: Threads that one inference may use.
        reference_kernels: Leave the graph as it is: no fusions, no constant folding.
        name: What to call the model in messages.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        BackendError: ONNX Runtime refuses the model.
    """

    library = "ONNX Runtime"

    def __init__(self, model: bytes, *, threads: int, reference_kernels: bool, name: str) -> None:
        # From 1.29 on its wheels report to Microsoft and keep a device id, unless told not to before.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        runtime: Any = import_engine(("onnxruntime",), "onnx")
        self.errors = _error_types(runtime)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL_ONLY
        if reference_kernels:
            options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        with loading(self.library, name, self.errors):
            self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(_spec(name, node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(name, node) for node in self._session.get_outputs())
        self._output_names = [spec.name for spec in self.outputs]

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: see :meth:`.Engine.run`."""
        values = self._session.run(self._output_names, dict(tensors))
        return dict(zip(self._output_names, values, strict=True))


def _error_types(runtime: Any) -> tuple[type[Exception], ...]:
    """The library's exceptions have no common base but ``Exception``; they share a module."""
    state = runtime.capi.onnxruntime_pybind11_state
    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError)


def _spec(model: str, node: Any) -> TensorSpec:
    if node.type not in _DTYPES:
        raise BackendError(f"{model}: tensor '{node.name}' is a {node.type}, which cannot be used here")
    shape = tuple(extent if isinstance(extent, int) and extent > 0 else None for extent in node.shape)
    return TensorSpec(node.name, shape, _DTYPES[node.type])
