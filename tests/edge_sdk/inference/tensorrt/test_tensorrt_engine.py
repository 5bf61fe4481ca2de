"""An engine gives the answers of its ONNX under every release, allocates once, and leaves nothing behind.

TensorRT and the GPU are fakes here; ``tests/gpu`` runs the same code on a real one.
"""

from __future__ import annotations

import gc
import logging
import threading
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from fake_gpu import FakeGpu
from fake_tensorrt import RELEASES
from gpu_onnx import boxes_onnx, half_onnx, int8_onnx, scaled_onnx
from tiny_engines import X, loaded

from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.errors import BackendError
from edge_sdk.inference.engine import EngineBackend
from edge_sdk.inference.open import open_backend

Install = Callable[..., None]
EVERY_RELEASE = pytest.mark.parametrize("release", RELEASES)


def on_cpu(model: bytes, tensors: dict[str, Array]) -> dict[str, Array]:
    with open_backend(model, "onnx") as backend:
        return dict(backend.infer(tensors))


@EVERY_RELEASE
@pytest.mark.parametrize("by", ["bindings", "pycuda"])
@pytest.mark.parametrize("graph", [True, False])
@pytest.mark.parametrize("model", [scaled_onnx, half_onnx, int8_onnx])
def test_answers_are_those_of_the_onnx(
    install: Install, release: str, by: str, model: Callable[[], bytes], *, graph: bool
) -> None:
    install(release, cuda=by)
    engine = loaded(model(), graph=graph)
    for factor in (1.0, -0.5, 2.0):
        tensors: dict[str, Array] = {"x": (X * np.float32(factor))}
        np.testing.assert_array_equal(engine.run(tensors)["y"], on_cpu(model(), tensors)["y"])


@EVERY_RELEASE
def test_an_open_batch_takes_one_at_a_time(install: Install, release: str) -> None:
    install(release)
    engine = loaded(scaled_onnx(shape=("batch", 4)))
    assert engine.inputs == (TensorSpec("x", (1, 4), "float32"),)
    assert engine.outputs == (TensorSpec("y", (1, 4), "float32"),)
    np.testing.assert_array_equal(engine.run({"x": X})["y"], 2 * X)


@EVERY_RELEASE
def test_outputs_have_the_size_that_the_engine_tells_after_running(install: Install, release: str) -> None:
    install(release)
    engine = loaded(boxes_onnx())
    assert [spec.name for spec in engine.inputs] == ["boxes", "scores"]
    assert engine.outputs[0].shape == (None, 3)
    boxes = np.array([[[0, 0, 1, 1], [0, 0, 1, 0.9], [5, 5, 6, 6]]], np.float32)
    for scores in ([0.9, 0.8, 0.7], [0.9, 0.1, 0.1], [0.1, 0.1, 0.1], [0.8, 0.9, 0.6]):
        tensors: dict[str, Array] = {"boxes": boxes, "scores": np.array([[scores]], np.float32)}
        np.testing.assert_array_equal(engine.run(tensors)["kept"], on_cpu(boxes_onnx(), tensors)["kept"])
    assert "depends on what is in the input" in str(engine.graph_refusal)


def test_it_is_called_by_the_name_of_its_product(install: Install) -> None:
    install("rtx")
    assert loaded(scaled_onnx()).library == "TensorRT-RTX"


# --- what one inference costs ---


@EVERY_RELEASE
def test_an_inference_is_one_launch_and_one_wait(install: Install, gpu: FakeGpu, release: str) -> None:
    install(release)
    engine = loaded(scaled_onnx())
    assert engine.graph_refusal is None
    before = gpu.calls.copy()
    engine.run({"x": X})
    assert gpu.calls - before == {"cudaGraphLaunch": 1, "cudaStreamSynchronize": 1}


@pytest.mark.parametrize("graph", [True, False])
def test_nothing_is_allocated_for_an_inference(install: Install, gpu: FakeGpu, *, graph: bool) -> None:
    install("10.3")
    engine = loaded(scaled_onnx(), graph=graph)
    first = engine.run({"x": X})
    before, answer = gpu.holds, first["y"]
    inferences, reference_bytes = 200, 8
    tracemalloc.start()
    for _ in range(20):
        engine.run({"x": X})
    start = tracemalloc.take_snapshot()
    for _ in range(inferences):
        engine.run({"x": X})
    grown = tracemalloc.take_snapshot().compare_to(start, "filename")
    tracemalloc.stop()
    assert gpu.holds == before
    assert engine.run({"x": X}) is first
    assert first["y"] is answer
    ours = [line for line in grown if "edge_sdk/inference/tensorrt" in line.traceback[0].filename]
    # Python itself may keep a number or a frame; of each inference not even a reference stays.
    assert sum(line.size_diff for line in ours) < inferences * reference_bytes


def test_mapped_memory_takes_none_of_the_gpus_and_copies_nothing(install: Install, gpu: FakeGpu) -> None:
    install("10.3")
    engine = loaded(scaled_onnx(), mapped_memory=True)
    assert engine.mapped_memory_refusal is None
    np.testing.assert_array_equal(engine.run({"x": X})["y"], 2 * X)
    assert gpu.calls["cudaMalloc"] == gpu.calls["cudaMemcpyAsync"] == 0


def test_memory_is_not_mapped_for_a_gpu_on_a_card(
    install: Install, gpu: FakeGpu, caplog: pytest.LogCaptureFixture
) -> None:
    gpu.integrated = False
    install("10.3")
    with caplog.at_level(logging.WARNING):
        engine = loaded(scaled_onnx(), mapped_memory=True)
    assert "is not integrated" in str(engine.mapped_memory_refusal)
    assert "is not integrated" in caplog.text
    np.testing.assert_array_equal(engine.run({"x": X})["y"], 2 * X)


# --- where there can be no graph ---


@pytest.mark.parametrize(
    ("release", "behaviour", "by", "reason"),
    [
        ("10.3", "breaks_capture", "bindings", "operation not permitted when stream is capturing"),
        ("rtx", "no_capture", "bindings", "TensorRT-RTX says that it cannot be captured"),
        ("10.3", "", "pycuda", "pycuda has no CUDA graphs"),
    ],
)
def test_without_a_graph_it_enqueues_and_tells_why(
    install: Install, caplog: pytest.LogCaptureFixture, release: str, behaviour: str, by: str, reason: str
) -> None:
    install(release, behaviour=behaviour, cuda=by)
    with caplog.at_level(logging.WARNING):
        engine = loaded(scaled_onnx())
    assert reason in str(engine.graph_refusal)
    assert "onnx-float32: no CUDA graph: " in caplog.text
    np.testing.assert_array_equal(engine.run({"x": X})["y"], 2 * X)


def test_a_graph_that_cannot_be_made_is_no_failure(install: Install, gpu: FakeGpu) -> None:
    gpu.failing["cudaGraphInstantiate"] = "cudaErrorMemoryAllocation"
    install("10.3")
    engine = loaded(scaled_onnx())
    assert "cudaErrorMemoryAllocation" in str(engine.graph_refusal)
    np.testing.assert_array_equal(engine.run({"x": X})["y"], 2 * X)


# --- several, and the end ---


@EVERY_RELEASE
def test_two_in_two_threads_answer_as_alone(install: Install, release: str) -> None:
    install(release)
    engines = [loaded(scaled_onnx(factor)) for factor in (2.0, -3.0)]
    right = [0, 0]
    start = threading.Barrier(2)

    def repeat(index: int, factor: float) -> None:
        start.wait(timeout=60)
        for step in range(50):
            x = X * np.float32(step)
            right[index] += np.array_equal(engines[index].run({"x": x})["y"], np.float32(factor) * x)

    threads = [threading.Thread(target=repeat, args=item) for item in enumerate((2.0, -3.0))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [50, 50]


@EVERY_RELEASE
@pytest.mark.parametrize("graph", [True, False])
def test_closing_gives_everything_back(install: Install, gpu: FakeGpu, release: str, *, graph: bool) -> None:
    install(release)
    backend = EngineBackend("onnx-float32", loaded(scaled_onnx(), graph=graph))
    backend.infer({"x": X})
    backend.close()
    backend.close()
    gc.collect()
    assert gpu.holds == (0, 0, 0, 0)
    assert gpu.free == gpu.memory_bytes
    with pytest.raises(BackendError, match="was closed"):
        backend.infer({"x": X})


def test_an_answer_that_somebody_keeps_outlives_the_engine(install: Install, gpu: FakeGpu) -> None:
    install("10.3")
    with EngineBackend("onnx-float32", loaded(scaled_onnx())) as backend:
        kept = backend.infer({"x": X})["y"]
    gc.collect()
    assert len(gpu.host) == 1
    np.testing.assert_array_equal(kept, 2 * X)


def test_an_engine_that_is_closed_by_itself_may_be_closed_again(install: Install, gpu: FakeGpu) -> None:
    install("10.3")
    engine = loaded(scaled_onnx())
    engine.close()
    engine.close()
    assert gpu.holds[0] == 0
