"""The few CUDA calls do what they say."""

from __future__ import annotations

import numpy as np
import pytest
from cuda_runtime import Cuda, CudaError

N = 1 << 16


def test_what_was_copied_in_comes_back(cuda: Cuda) -> None:
    stream, address = cuda.new_stream(), cuda.allocate(4 * N)
    given, returned = cuda.host_array((N,), np.float32), cuda.host_array((N,), np.float32)
    given[:] = np.random.default_rng(1).standard_normal(N)
    returned[:] = np.nan
    cuda.copy_in(address, given, stream)
    cuda.copy_out(returned, address, stream)
    cuda.synchronize(stream)
    assert np.array_equal(returned, given)
    cuda.free(address)
    cuda.destroy_stream(stream)
    for array in (given, returned):
        cuda.free_host(array)


def test_a_graph_repeats_its_work_on_what_its_buffers_hold_then(cuda: Cuda) -> None:
    stream, address = cuda.new_stream(), cuda.allocate(4 * N)
    given, returned = cuda.host_array((N,), np.float32), cuda.host_array((N,), np.float32)
    given[:], returned[:] = 1.0, np.nan

    def work() -> None:
        cuda.copy_in(address, given, stream)
        cuda.copy_out(returned, address, stream)

    graph = cuda.capture(stream, work)
    cuda.synchronize(stream)
    assert np.isnan(returned).all()  # captured, not run
    for value in (2.0, 3.0):
        given[:] = value
        cuda.launch(graph, stream)
        cuda.synchronize(stream)
        assert (returned == value).all()
    cuda.destroy_graph(graph)
    cuda.free(address)
    cuda.destroy_stream(stream)
    for array in (given, returned):
        cuda.free_host(array)


def test_memory_is_held_and_given_back(cuda: Cuda) -> None:
    size = 1 << 28
    before = cuda.free_memory()
    address = cuda.allocate(size)
    assert before - cuda.free_memory() >= size
    cuda.free(address)
    assert cuda.free_memory() >= before


def test_more_memory_than_there_is_names_the_call_and_the_reason(cuda: Cuda) -> None:
    with pytest.raises(CudaError, match="cudaMalloc: cudaErrorMemoryAllocation"):
        cuda.allocate(2 * cuda.gpu().memory_bytes)


def test_the_gpu_times_its_own_work(cuda: Cuda) -> None:
    stream, address = cuda.new_stream(), cuda.allocate(1 << 26)
    array = cuda.host_array((1 << 26,), np.uint8)
    elapsed = cuda.elapsed_ms(stream, lambda: cuda.copy_in(address, array, stream))
    assert 0 < elapsed < 10_000
    cuda.free(address)
    cuda.destroy_stream(stream)
    cuda.free_host(array)
