"""An ONNX model, run by ONNX Runtime's CUDA execution provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from edge_sdk.contract.values import Array
from edge_sdk.inference.tensorrt.cuda import Cuda
from edge_sdk.inference.tensorrt.tensor_buffers import TensorBuffers

__all__ = ["OrtCudaEngine", "require_cuda_provider"]

_PROVIDER = "CUDAExecutionProvider"
_FATAL_ONLY = 4
_DTYPES = {"tensor(float)": "float32"}


def require_cuda_provider() -> Any:
    """ONNX Runtime; the test that asks for it is skipped where it is built without CUDA."""
    runtime = pytest.importorskip("onnxruntime")
    if _PROVIDER not in runtime.get_available_providers():
        pytest.skip("this ONNX Runtime is built without CUDA: install onnxruntime-gpu in its place")
    return runtime


class OrtCudaEngine:
    """One model of fixed shapes: see :class:`gpu_engine.GpuEngine`.

    Args:
        model: Content of the ``.onnx`` file.
        cuda: Where it shall run.
        graph: Let ONNX Runtime capture its kernels as a CUDA graph, and replay that.
        tf32: Let float32 products round their factors to 10 bits, which tensor cores do fast.
    """

    def __init__(self, model: bytes, cuda: Cuda, *, graph: bool = False, tf32: bool = False) -> None:
        runtime = require_cuda_provider()
        self._cuda = cuda
        self.stream = cuda.new_stream()
        options = runtime.SessionOptions()
        options.log_severity_level = _FATAL_ONLY
        # Else it moves int8 tensors through operators that its CUDA part has in float alone.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        settings = {
            "user_compute_stream": str(self.stream),
            "use_tf32": str(int(tf32)),
            "enable_cuda_graph": str(int(graph)),
        }
        self._session: Any = runtime.InferenceSession(model, options, providers=[(_PROVIDER, settings)])
        if self._session.get_providers()[0] != _PROVIDER:
            raise RuntimeError("ONNX Runtime cannot load what its CUDA provider needs: CUDA and cuDNN")
        self._run_options = runtime.RunOptions()
        self._run_options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        self._buffers = TensorBuffers(cuda, self.stream, mapped=False)
        self._binding = self._session.io_binding()
        for node in self._session.get_inputs():
            self._bind(node, self._binding.bind_input, taken=True)
        for node in self._session.get_outputs():
            self._bind(node, self._binding.bind_output, taken=False)
        for _ in range(2 if graph else 0):
            self._run()  # plainly, then captures
        cuda.synchronize(self.stream)

    def _bind(self, node: Any, bind: Any, *, taken: bool) -> None:
        shape, dtype = tuple(node.shape), _DTYPES[node.type]
        address = self._buffers.add(node.name, shape, dtype, taken=taken)
        bind(node.name, "cuda", 0, dtype, shape, address)

    def run(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run once."""
        self._buffers.fill(tensors)
        self.enqueue()
        self._cuda.synchronize(self.stream)
        return self._buffers.outputs

    def enqueue(self) -> None:
        """Put one inference into the stream."""
        self._buffers.copy_in()
        self._run()
        self._buffers.copy_out()

    def _run(self) -> None:
        self._session.run_with_iobinding(self._binding, self._run_options)

    def close(self) -> None:
        """Release everything."""
        if self._session is None:
            return
        self._cuda.synchronize(self.stream)
        self._binding = self._session = None
        self._buffers.close()
        self._cuda.destroy_stream(self.stream)
