"""CUDA's few calls, by either library: what they do, and what they say where they fail."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_gpu import FakeGpu

from edge_sdk.errors import BackendError, BackendUnavailableError, EdgeSdkError, MissingExtraError
from edge_sdk.inference.tensorrt import cuda_bindings as bindings_module
from edge_sdk.inference.tensorrt import open as opening
from edge_sdk.inference.tensorrt.cuda import Cuda, open_cuda

Install = Callable[..., None]
BY = pytest.mark.parametrize("by", ["bindings", "pycuda"])


def forget(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Have it imported anew; what was there before, be it nothing, comes back after the test."""
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, module)


def opened(install: Install, by: str) -> Cuda:
    install("10.3", cuda=by)
    return open_cuda()


@BY
def test_the_gpu_is_told(install: Install, gpu: FakeGpu, by: str) -> None:
    found = opened(install, by).gpu
    assert (found.name, found.compute_capability, found.cuda) == ("Orin", "8.7", "12.6")
    assert found.integrated
    assert found.memory_bytes == gpu.memory_bytes
    assert str(found) == "Orin (compute capability 8.7)"


@BY
def test_to_open_takes_nothing_on_the_gpu(install: Install, gpu: FakeGpu, by: str) -> None:
    opened(install, by)
    assert gpu.holds == (0, 0, 0, 0)
    assert not any("Alloc" in call or "Ctx" in call for call in gpu.calls)


@BY
def test_what_was_copied_in_comes_back(install: Install, gpu: FakeGpu, by: str) -> None:
    cuda = opened(install, by)
    stream, address = cuda.new_stream(), cuda.allocate(12)
    given, returned = cuda.host_memory(12), cuda.host_memory(12)
    assert (given.raw == 0).all()
    given.array((3,), np.float32)[:] = (1.5, 2.5, -3.5)
    cuda.copy_in(address, given, stream)
    cuda.copy_out(returned, address, stream)
    assert (returned.raw == 0).all()  # in the stream's turn, and nobody has waited for it
    cuda.synchronize(stream)
    assert returned.array((3,), np.float32).tolist() == [1.5, 2.5, -3.5]
    cuda.free(address)
    cuda.destroy_stream(stream)
    assert gpu.holds[0] == gpu.holds[2] == 0


@BY
def test_mapped_memory_is_the_same_to_both(install: Install, gpu: FakeGpu, by: str) -> None:
    memory = opened(install, by).host_memory(4, mapped=True)
    assert memory.mapped_address is not None
    memory.raw[:] = (1, 2, 3, 4)
    assert gpu.seen_by_gpu(memory.mapped_address, 4).tolist() == [1, 2, 3, 4]


def test_page_locked_memory_lives_as_long_as_an_array_on_it(install: Install, gpu: FakeGpu) -> None:
    array = opened(install, "bindings").host_memory(8).array((2,), np.float32)[1:]
    gc.collect()
    assert len(gpu.host) == 1
    array[:] = 7
    del array
    gc.collect()
    assert gpu.host == {}


def test_a_graph_repeats_work_that_was_not_run_when_it_was_captured(install: Install, gpu: FakeGpu) -> None:
    cuda = opened(install, "bindings")
    stream, address = cuda.new_stream(), cuda.allocate(4)
    given, returned = cuda.host_memory(1), cuda.host_memory(1)

    def work() -> None:
        cuda.copy_in(address, given, stream)
        cuda.copy_out(returned, address, stream)

    graph = cuda.capture(stream, work)
    for value in (2, 3):
        given.raw[:] = value
        graph.launch()
        cuda.synchronize(stream)
        assert returned.raw[0] == value
    graph.close()
    assert gpu.graphs == []


def test_a_capture_that_breaks_off_leaves_the_stream_as_it_was(install: Install, gpu: FakeGpu) -> None:
    cuda = opened(install, "bindings")
    stream = cuda.new_stream()

    def work() -> None:
        raise BackendError("not while capturing")

    with pytest.raises(BackendError, match="not while capturing"):
        cuda.capture(stream, work)
    cuda.synchronize(stream)
    assert gpu.captured == {}


def test_pycuda_refuses_graphs_by_name(install: Install) -> None:
    cuda = opened(install, "pycuda")
    with pytest.raises(BackendError, match="pycuda has no CUDA graphs"):
        cuda.capture(cuda.new_stream(), lambda: None)


@BY
def test_the_gpus_own_clock_is_read(install: Install, by: str) -> None:
    cuda = opened(install, by)
    assert cuda.elapsed_ms(cuda.new_stream(), lambda: None) == 0.25


def test_pycuda_leaves_no_context_behind_in_any_thread(install: Install) -> None:
    """It aborts the process where a thread ends that has one."""
    cuda = opened(install, "pycuda")
    module: Any = sys.modules["pycuda.driver"]
    left = []

    def use() -> None:
        stream = cuda.new_stream()
        with pytest.raises(BackendError):
            cuda.allocate(1 << 60)
        cuda.elapsed_ms(stream, lambda: cuda.free(cuda.allocate(4)))
        left.append(list(module.contexts.stack))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert left == [[]]
    assert module.contexts.stack == []


@BY
def test_too_little_memory_tells_the_call_and_what_to_do(install: Install, gpu: FakeGpu, by: str) -> None:
    cuda = opened(install, by)
    with pytest.raises(BackendError, match=r"[aA]lloc: .*(of memory|MemoryAllocation)") as caught:
        cuda.allocate(gpu.memory_bytes + 1)
    assert "smaller variant" in str(caught.value.hint)


@pytest.mark.parametrize(
    "code", ["cudaErrorIllegalAddress", "cudaErrorIllegalInstruction", "cudaErrorMisalignedAddress"]
)
@BY
def test_a_gpu_that_is_lost_asks_for_a_restart(install: Install, gpu: FakeGpu, code: str, by: str) -> None:
    cuda = opened(install, by)
    stream = cuda.new_stream()
    gpu.failing.update(dict.fromkeys(("cudaStreamSynchronize", "cuStreamSynchronize"), code))
    with pytest.raises(BackendError, match=r"cu(da)?StreamSynchronize: ") as caught:
        cuda.synchronize(stream)
    assert "restart" in str(caught.value.hint)


def test_cuda_bindings_come_before_pycuda(
    install: Install, gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fake_pycuda import fake_pycuda

    install("10.3", cuda="bindings")
    monkeypatch.setitem(sys.modules, "pycuda.driver", fake_pycuda(gpu))
    assert type(open_cuda()).__name__ == "CudaBindings"
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", None)
    assert type(open_cuda()).__name__ == "PyCuda"


def test_the_older_name_of_cuda_bindings_serves(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("10.3", cuda="bindings")
    monkeypatch.setitem(sys.modules, "cuda.cudart", sys.modules["cuda.bindings.runtime"])
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", None)
    assert open_cuda().gpu.name == "Orin"


def broken_bindings(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """As cuda-bindings is that was installed without cuda-pathfinder, on which it stands."""
    package = folder / "cuda" / "bindings"
    package.mkdir(parents=True)
    for inner in (package.parent, package):
        (inner / "__init__.py").write_text("")
    (package / "runtime.py").write_text("import what_it_stands_on")
    for module in ("cuda", "cuda.bindings", "cuda.bindings.runtime"):
        forget(monkeypatch, module)
    monkeypatch.syspath_prepend(folder)


def test_broken_cuda_bindings_give_way_to_the_older_ones_and_are_told_once(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install("10.3", cuda="bindings")
    monkeypatch.setitem(sys.modules, "cuda.cudart", sys.modules["cuda.bindings.runtime"])
    broken_bindings(monkeypatch, tmp_path)
    bindings_module._warn_once.cache_clear()
    for _ in range(2):
        assert open_cuda().gpu.name == "Orin"
    assert caplog.text.count("import cuda.bindings.runtime: No module named 'what_it_stands_on'") == 1


# --- no engine can run here ---


def reason_here() -> str:
    with pytest.raises(EdgeSdkError) as caught:
        opening.open_engine(b"", name="onnx-float32")
    assert caught.value.hint is not None
    return caught.value.message


def reason_of(install: Install, **settings: Any) -> str:
    install("10.3", **settings)
    return reason_here()


def test_without_tensorrt_that_is_the_reason(install: Install) -> None:
    install(None)
    assert reason_here() == "the Python library 'tensorrt' is not installed"


def test_without_anything_to_call_cuda_with_that_is_the_reason(install: Install) -> None:
    assert reason_of(install, cuda=None) == "the Python library 'cuda-bindings' is not installed"
    with pytest.raises(MissingExtraError) as caught:
        open_cuda()
    assert "cuda-bindings<13" in str(caught.value.hint)


@pytest.mark.parametrize("module", ["cuda/bindings/runtime", "pycuda/driver"])
def test_what_cuda_is_called_with_and_lacks_something_is_not_called_missing(
    install: Install, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: str
) -> None:
    """As cuda-bindings does that was installed without cuda-pathfinder, on which it stands."""
    install("10.3", cuda=None)
    name = module.replace("/", ".")
    file = tmp_path / f"{module}.py"
    file.parent.mkdir(parents=True)
    for folder in file.relative_to(tmp_path).parents[:-1]:
        (tmp_path / folder / "__init__.py").write_text("")
    file.write_text("import what_it_stands_on")
    for one in ("cuda", "cuda.bindings", "cuda.bindings.runtime", "pycuda", "pycuda.driver"):
        if name == one or name.startswith(f"{one}."):
            forget(monkeypatch, one)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendUnavailableError, match=f"import {name}: .*'what_it_stands_on'") as caught:
        open_cuda()
    assert "install it again" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("driver", "count", "code", "reason"),
    [
        (0, 0, None, "there is no NVIDIA driver"),
        (12060, 0, None, "cudaErrorNoDevice"),
        (12060, 1, "cudaErrorInsufficientDriver", "cudaErrorInsufficientDriver"),
    ],
    ids=["no driver", "no device", "driver too old"],
)
def test_without_a_gpu_the_reason_comes_before_tensorrts_runtime(
    install: Install, gpu: FakeGpu, driver: int, count: int, code: str | None, reason: str
) -> None:
    """That would end the process: the fake one does, by SystemExit."""
    gpu.driver, gpu.count = driver, count
    if code is not None:
        gpu.failing["cudaGetDeviceCount"] = code
    assert reason in reason_of(install)


@pytest.mark.parametrize("call", ["cudaDriverGetVersion", "cudaGetDeviceCount", "cudaGetDeviceProperties"])
def test_a_driver_that_cannot_be_loaded_is_told_with_what_to_do(
    install: Install, gpu: FakeGpu, call: str
) -> None:
    gpu.failing[call] = "RuntimeError: Failed to dlopen libcuda.so.1"
    assert "Failed to dlopen libcuda.so.1" in reason_of(install)


@pytest.mark.parametrize("by", ["bindings", "pycuda"])
@pytest.mark.parametrize("error", ["MemoryError: ", "RuntimeError: std::bad_alloc"])
def test_what_cuda_raises_instead_of_giving_a_code_is_a_failure_of_that_call(
    install: Install, gpu: FakeGpu, by: str, error: str
) -> None:
    cuda = opened(install, by)
    gpu.failing.update(dict.fromkeys(("cudaMalloc", "cuMemAlloc"), error))
    with pytest.raises(BackendError, match=rf"Mem\w*lloc: {error}|cudaMalloc: {error}") as caught:
        cuda.allocate(16)
    assert "memory" in str(caught.value.hint) or "RuntimeError" in error


def test_pycuda_without_a_gpu_says_so(install: Install, gpu: FakeGpu) -> None:
    gpu.failing["cuInit"] = "cudaErrorNoDevice"
    assert "no CUDA-capable device" in reason_of(install, cuda="pycuda")


def test_this_computer_tells_its_own_reason_or_has_none() -> None:
    """With what is really installed here, the GPUs hidden as all tests have them."""
    reason = reason_here()
    assert any(words in reason for words in ("not installed", "no NVIDIA driver", "cudaErrorNoDevice"))
