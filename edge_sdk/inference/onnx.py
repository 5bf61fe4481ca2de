"""ONNX models, run by ONNX Runtime: on the CPU, or on what its execution providers reach."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..contract.values import Array, TensorSpec
from ..errors import BackendError
from .engine import import_engine, loading
from .onnx_providers import require_providers
from .onnx_session import SessionPlan, run_options
from .options import AS_ON_EVERY_COMPUTER, OnnxOptions, ProviderName

__all__ = ["OnnxEngine", "require_onnx_providers"]

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
        reference_kernels: Leave the graph as it is: no fusions, no constant folding; on the CPU, whatever
            ``options`` say.
        name: What to call the model in messages.
        options: Which execution providers, and how they work.

    Attributes:
        providers: What runs it, as ONNX Runtime calls it, the first in front.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        BackendError: ONNX Runtime refuses the model, or an execution provider that was named is not here.
    """

    library = "ONNX Runtime"

    def __init__(
        self,
        model: bytes,
        *,
        threads: int,
        reference_kernels: bool,
        name: str,
        options: OnnxOptions = AS_ON_EVERY_COMPUTER.onnx,
    ) -> None:
        runtime = _load_runtime()
        self.errors = _error_types(runtime)
        options = AS_ON_EVERY_COMPUTER.onnx if reference_kernels else options
        plan = SessionPlan(runtime, model, name, options, threads, reference_kernels, self.errors)
        with loading(self.library, name, self.errors):
            self._session = plan.open()
        self.providers = tuple(self._session.get_providers())
        self.inputs = tuple(_spec(name, node) for node in self._session.get_inputs())
        self.outputs = tuple(_spec(name, node) for node in self._session.get_outputs())
        self._output_names = [spec.name for spec in self.outputs]
        self._run_options = run_options(runtime, options)

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run the model once: see :meth:`.Engine.run`."""
        fed = tensors if isinstance(tensors, dict) else dict(tensors)  # it takes no other mapping
        values = self._session.run(self._output_names, fed, self._run_options)
        return dict(zip(self._output_names, values, strict=True))


def require_onnx_providers(names: Sequence[ProviderName]) -> None:
    """See that the ONNX Runtime that is installed has these execution providers; no model is loaded.

    Raises:
        MissingExtraError: ONNX Runtime is not installed.
        BackendError: It does not load.
        BackendUnavailableError: One is not in this build; names what is.
    """
    require_providers(_load_runtime(), names)


def _load_runtime() -> Any:
    # From 1.29 on its wheels report to Microsoft and keep a device id, unless told not to before.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    return import_engine(("onnxruntime",), "onnx", has="InferenceSession")


def _error_types(runtime: Any) -> tuple[type[Exception], ...]:
    """The library's exceptions have no common base but ``Exception``; they share a module."""
    state = runtime.capi.onnxruntime_pybind11_state
    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError, ValueError, MemoryError)


def _spec(model: str, node: Any) -> TensorSpec:
    if node.type not in _DTYPES:
        raise BackendError(f"{model}: tensor '{node.name}' is a {node.type}, which cannot be used here")
    shape = tuple(extent if isinstance(extent, int) and extent > 0 else None for extent in node.shape)
    return TensorSpec(node.name, shape, _DTYPES[node.type])
