"""The few CUDA calls do what they say, by each library that can make them."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import pytest

from edge_sdk.errors import BackendError, MissingExtraError
from edge_sdk.inference.tensorrt.cuda import Cuda
from edge_sdk.inference.tensorrt.cuda_bindings import CudaBindings
from edge_sdk.inference.tensorrt.pycuda import PyCuda

N = 1 << 16


@pytest.fixture(params=[CudaBindings, PyCuda])
def cuda_by(request: pytest.FixtureRequest, cuda: Cuda) -> Cuda:
    """The GPU, by cuda-bindings and by pycuda."""
    opened: Callable[[], Cuda] = request.param
    try:
        return opened()
    except MissingExtraError as error:
        pytest.skip(error.message)


def test_both_tell_the_same_gpu(cuda: Cuda, cuda_by: Cuda) -> None:
    assert cuda_by.gpu == cuda.gpu


def test_what_was_copied_in_comes_back(cuda_by: Cuda) -> None:
    stream, address = cuda_by.new_stream(), cuda_by.allocate(4 * N)
    given, returned = cuda_by.host_memory(4 * N), cuda_by.host_memory(4 * N)
    given.array((N,), np.float32)[:] = np.random.default_rng(1).standard_normal(N)
    cuda_by.copy_in(address, given, stream)
    cuda_by.copy_out(returned, address, stream)
    cuda_by.synchronize(stream)
    assert given.raw.any()
    assert np.array_equal(returned.raw, given.raw)
    cuda_by.free(address)
    cuda_by.destroy_stream(stream)


def test_mapped_memory_has_an_address_of_the_gpus(cuda_by: Cuda) -> None:
    memory = cuda_by.host_memory(N, mapped=True)
    assert memory.mapped_address
    stream = cuda_by.new_stream()
    other, address = cuda_by.host_memory(N), cuda_by.allocate(N)
    memory.raw[:] = 7
    cuda_by.copy_in(address, memory, stream)
    cuda_by.copy_out(other, address, stream)
    cuda_by.synchronize(stream)
    assert (other.raw == 7).all()
    cuda_by.free(address)
    cuda_by.destroy_stream(stream)


def test_a_graph_repeats_its_work_on_what_its_buffers_hold_then(cuda: Cuda) -> None:
    stream, address = cuda.new_stream(), cuda.allocate(N)
    given, returned = cuda.host_memory(N), cuda.host_memory(N)
    given.raw[:] = 1

    def work() -> None:
        cuda.copy_in(address, given, stream)
        cuda.copy_out(returned, address, stream)

    try:
        graph = cuda.capture(stream, work)
    except BackendError as error:
        pytest.skip(error.message)
    cuda.synchronize(stream)
    assert not returned.raw.any()  # captured, not run
    for value in (2, 3):
        given.raw[:] = value
        graph.launch()
        cuda.synchronize(stream)
        assert (returned.raw == value).all()
    graph.close()
    cuda.free(address)
    cuda.destroy_stream(stream)


def test_memory_is_held_and_given_back(cuda_by: Cuda) -> None:
    size = 1 << 28
    before = cuda_by.free_memory()
    address = cuda_by.allocate(size)
    assert before - cuda_by.free_memory() >= size
    cuda_by.free(address)
    assert cuda_by.free_memory() >= before


def test_page_locked_memory_outlives_everything_but_its_last_array(cuda_by: Cuda) -> None:
    array = cuda_by.host_memory(N).array((N // 4,), np.float32)
    gc.collect()
    array[:] = 5
    assert array.sum() == 5 * (N // 4)


def test_more_memory_than_there_is_names_the_call_and_what_to_do(cuda_by: Cuda) -> None:
    with pytest.raises(BackendError, match=r"[aA]lloc: .*([mM]emory)") as caught:
        cuda_by.allocate(2 * cuda_by.gpu.memory_bytes)
    assert "smaller variant" in str(caught.value.hint)


def test_the_gpu_times_its_own_work(cuda_by: Cuda) -> None:
    stream, address = cuda_by.new_stream(), cuda_by.allocate(1 << 26)
    memory = cuda_by.host_memory(1 << 26)
    elapsed = cuda_by.elapsed_ms(stream, lambda: cuda_by.copy_in(address, memory, stream))
    assert 0 < elapsed < 10_000
    cuda_by.free(address)
    cuda_by.destroy_stream(stream)
