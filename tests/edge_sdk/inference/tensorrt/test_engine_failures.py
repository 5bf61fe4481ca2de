"""An engine that cannot be loaded or run is refused with what to do about it, and leaves nothing behind."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import pytest
from fake_gpu import FakeGpu
from fake_tensorrt import RELEASES
from fake_trt_release import enum
from fake_trt_runtime import FakeContext, FakeEngine
from gpu_onnx import boxes_onnx, scaled_onnx
from tiny_engines import X, loaded, plan_of

from edge_sdk.errors import BackendError
from edge_sdk.inference.engine import EngineBackend
from edge_sdk.inference.tensorrt.cuda import open_cuda
from edge_sdk.inference.tensorrt.engine import TensorRtEngine
from edge_sdk.inference.tensorrt.foreign_errors import MEMORY_HINT
from edge_sdk.inference.tensorrt.library import find_library

Install = Callable[..., None]
EVERY_RELEASE = pytest.mark.parametrize("release", RELEASES)


def refused(plan: bytes, match: str) -> BackendError:
    with pytest.raises(BackendError, match=match) as caught:
        TensorRtEngine(plan, library=find_library(), cuda=open_cuda(), name="onnx-int8")
    return caught.value


@EVERY_RELEASE
@pytest.mark.parametrize("content", [b"", b"no plan at all", b"ptrt{"], ids=["empty", "foreign", "truncated"])
def test_what_is_no_engine_is_refused(install: Install, gpu: FakeGpu, release: str, content: bytes) -> None:
    install(release)
    error = refused(content, f"{RELEASES[release]} refuses the engine of onnx-int8: ")
    assert "edge-sdk build" in str(error.hint)
    assert gpu.holds == (0, 0, 0, 0)


@EVERY_RELEASE
def test_an_engine_of_another_version_is_refused(install: Install, release: str) -> None:
    install(release)
    plan = plan_of(scaled_onnx()).replace(RELEASES[release].encode(), b"7.0.0")
    error = refused(plan, "Version tag does not match")
    assert "edge-sdk build" in str(error.hint)
    assert ("VERSION_MISMATCH" in error.message) == (release == "rtx")


@EVERY_RELEASE
def test_an_engine_for_another_gpu_is_refused(install: Install, gpu: FakeGpu, release: str) -> None:
    install(release)
    plan = plan_of(scaled_onnx())
    gpu.capability = (7, 2)
    error = refused(plan, "incompatible device")
    assert ("UNSUPPORTED_CC" in error.message) == (release == "rtx")


def test_an_engine_that_is_called_invalid_is_not_run_even_if_it_loads(install: Install) -> None:
    install("rtx", behaviour="invalid")
    refused(plan_of(scaled_onnx()), "refuses the engine of onnx-int8: INVALID: it gives no reason")


@EVERY_RELEASE
def test_no_memory_for_its_activations_tells_what_to_do(install: Install, gpu: FakeGpu, release: str) -> None:
    install(release, behaviour="no_context")
    error = refused(plan_of(scaled_onnx()), "OutOfMemory")
    assert "memory" in str(error.hint)
    assert gpu.holds == (0, 0, 0, 0)


def test_no_memory_for_its_tensors_leaves_none_behind(install: Install, gpu: FakeGpu) -> None:
    install("10.3")
    plan = plan_of(scaled_onnx())
    gpu.free = 20  # enough for one of two
    error = refused(plan, "cudaMalloc: cudaErrorMemoryAllocation")
    gc.collect()
    assert "memory" in str(error.hint)
    assert gpu.holds[0] == gpu.holds[2] == 0
    assert gpu.free == 20


def test_an_output_of_unbounded_size_is_refused(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeContext, "get_max_output_size", lambda self, name: 1 << 40)
    install("10.3")
    refused(plan_of(boxes_onnx()), r"output 'kept' may take 1099511627776 bytes")


def test_a_type_that_numpy_lacks_is_refused_by_name(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = enum("DataType", "BF16").BF16
    install("10.3")
    plan = plan_of(scaled_onnx())
    monkeypatch.setattr(FakeEngine, "get_tensor_dtype", lambda self, name: kind)
    refused(plan, "tensor 'x' is BF16")


@EVERY_RELEASE
def test_an_engine_that_does_not_run_is_refused_when_it_is_opened(
    install: Install, gpu: FakeGpu, release: str
) -> None:
    install(release, behaviour="no_run")
    error = refused(plan_of(scaled_onnx()), "failed to run onnx-int8: .*unspecified launch failure")
    gc.collect()
    assert error.hint is not None
    assert gpu.holds == (0, 0, 0, 0)


# --- what C++ throws ---


@pytest.mark.parametrize("error", ["RuntimeError: std::bad_alloc", "MemoryError: ", "ValueError: no stoi"])
@pytest.mark.parametrize("call", ["deserialize_cuda_engine", "create_execution_context", "execute_async_v3"])
def test_what_is_thrown_while_an_engine_is_loaded_is_a_refusal_that_leaves_nothing_behind(
    install: Install, gpu: FakeGpu, call: str, error: str
) -> None:
    install("10.3")
    plan = plan_of(scaled_onnx())
    install("10.3", behaviour=f"raise:{call}:{error}")
    caught = refused(plan, f"TensorRT 10.3.0 .* onnx-int8: {error.partition(':')[0]}: ")
    gc.collect()
    assert ("memory" in str(caught.hint)) == ("stoi" not in error)
    assert gpu.holds == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("error", "is_of_memory"),
    [
        ("MemoryError: ", True),
        ("RuntimeError: std::bad_alloc", True),
        ("RuntimeError: CUDA initialization failure with error 35", False),
    ],
)
def test_a_library_that_does_not_start_tells_of_memory_only_where_it_is_that(
    install: Install, gpu: FakeGpu, error: str, *, is_of_memory: bool
) -> None:
    install("10.3")
    plan = plan_of(scaled_onnx())
    install("10.3", behaviour=f"raise:Runtime:{error}")
    caught = refused(plan, r"TensorRT 10\.3\.0 does not start: ")
    assert (caught.hint == MEMORY_HINT) == is_of_memory
    assert caught.hint is not None
    assert gpu.holds == (0, 0, 0, 0)


@pytest.mark.parametrize("call", ["get_tensor_location", "get_tensor_profile_shape"])
def test_a_release_without_a_call_that_is_needed_is_a_refusal(
    install: Install, gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """As after an update of the system: what else can run the model takes its place."""
    install("10.3")
    plan = plan_of(scaled_onnx(shape=("batch", 4)))
    monkeypatch.delattr(FakeEngine, call)
    error = refused(plan, f"TensorRT 10.3.0 cannot load the engine of onnx-int8: AttributeError: .*{call}")
    gc.collect()
    assert error.hint is not None
    assert gpu.holds == (0, 0, 0, 0)


def test_what_is_thrown_while_it_runs_is_a_failure_of_the_backend(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("10.3")
    backend = EngineBackend("onnx-int8", loaded(scaled_onnx(), graph=False))

    def throw(*_: object) -> None:
        raise RuntimeError("CUDA driver shut down")

    monkeypatch.setattr(FakeContext, "execute_async_v3", throw)
    with pytest.raises(BackendError, match="TensorRT failed to run onnx-int8: CUDA driver shut down"):
        backend.infer({"x": X})


@pytest.mark.parametrize("graph", [True, False])
def test_a_gpu_that_is_lost_on_the_way_is_told_and_can_be_closed(
    install: Install, gpu: FakeGpu, *, graph: bool
) -> None:
    install("10.3")
    backend = EngineBackend("onnx-float32", loaded(scaled_onnx(), graph=graph))
    backend.infer({"x": X})
    for call in (
        "cudaStreamSynchronize",
        "cudaFree",
        "cudaFreeHost",
        "cudaStreamDestroy",
        "cudaGraphExecDestroy",
    ):
        gpu.failing[call] = "cudaErrorLaunchFailure"
    with pytest.raises(BackendError, match="cudaErrorLaunchFailure") as caught:
        backend.infer({"x": X})
    assert "restart" in str(caught.value.hint)
    backend.close()
    gc.collect()


def test_a_tensor_that_does_not_fit_is_refused_before_the_gpu_sees_it(install: Install, gpu: FakeGpu) -> None:
    install("10.3")
    with EngineBackend("onnx-float32", loaded(scaled_onnx())) as backend:
        before = gpu.calls.copy()
        with pytest.raises(BackendError, match=r"takes 'x' float32 \[1, 4\]"):
            backend.infer({"x": X.astype(np.float64)})
        assert gpu.calls == before
