"""A TensorRT-RTX plan, loaded and run on a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cuda_runtime import Cuda
from gpu_engine import IoBuffers
from numpy.typing import NDArray
from rtx_build import message_log, tensorrt_rtx

__all__ = ["RefusedPlanError", "RtxEngine"]


class RefusedPlanError(RuntimeError):
    """TensorRT-RTX will not run a plan on this GPU; the message gives its diagnosis."""


class RtxEngine:
    """One plan: see :class:`gpu_engine.GpuEngine`.

    Args:
        plan: As :func:`rtx_build.build_plan` makes it.
        cuda: Where it shall run.
        graph: Replay a captured CUDA graph instead of enqueueing kernel by kernel.

    Raises:
        RefusedPlanError: It is damaged, or not for this GPU or version.
    """

    def __init__(self, plan: bytes, cuda: Cuda, *, graph: bool = False) -> None:
        trt = tensorrt_rtx()
        self._cuda = cuda
        self._graph: Any = None
        self._log = message_log(trt)
        self._runtime = trt.Runtime(self._log)
        self._engine = self._load(trt, plan)
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise RefusedPlanError("\n".join(self._log.errors) or "no execution context")
        self.stream = cuda.new_stream()
        self._buffers = IoBuffers(cuda, self.stream)
        self._bind(trt)
        if graph:
            self._capture()

    def _load(self, trt: Any, plan: bytes) -> Any:
        validity, found = self._runtime.get_engine_validity(plan)
        if validity == trt.EngineValidity.INVALID:
            known = trt.EngineInvalidityDiagnostics.__members__.items()
            reasons = [name for name, member in known if int(found) & int(member)]
            if "MALFORMED_ENGINE" not in reasons:
                self._runtime.deserialize_cuda_engine(plan)  # refuses, and says it in words
            raise RefusedPlanError(": ".join([", ".join(reasons), *self._log.errors]))
        engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise RefusedPlanError("\n".join(self._log.errors) or "no engine and no reason")
        return engine

    def _bind(self, trt: Any) -> None:
        engine = self._engine
        for name in (engine.get_tensor_name(index) for index in range(engine.num_io_tensors)):
            taken = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
            dtype = trt.nptype(engine.get_tensor_dtype(name))
            address = self._buffers.add(name, tuple(engine.get_tensor_shape(name)), dtype, taken=taken)
            self._context.set_tensor_address(name, address)

    def _capture(self) -> None:
        self.enqueue()  # the first one compiles kernels, which no capture may do
        self._cuda.synchronize(self.stream)
        self._graph = self._cuda.capture(self.stream, self.enqueue)

    def infer(self, tensors: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Run once."""
        return self._buffers.run(tensors, self.enqueue)

    def enqueue(self) -> None:
        """Put the model alone into the stream."""
        if self._graph is not None:
            self._cuda.launch(self._graph, self.stream)
        elif not self._context.execute_async_v3(self.stream):
            raise RuntimeError("\n".join(self._log.errors) or "TensorRT-RTX could not enqueue")

    def close(self) -> None:
        """Release everything."""
        if self._context is None:
            return
        if self._graph is not None:
            self._cuda.destroy_graph(self._graph)
        self._context = self._engine = self._runtime = None
        self._cuda.destroy_stream(self.stream)
        self._buffers.close()
