"""A build is refused before it starts where the memory for it is not there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fake_gpu import FakeGpu

from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt import memory_check
from edge_sdk.inference.tensorrt.cuda import open_cuda
from edge_sdk.inference.tensorrt.library import find_library
from edge_sdk.inference.tensorrt.memory_check import check_memory, free_host_bytes, memory_need

Install = Callable[..., None]
MB = 1_000_000


def test_the_need_grows_with_the_model_and_the_workspace(install: Install) -> None:
    install("10.3")
    small = memory_need(find_library(), 10 * MB, 100 * MB)
    assert memory_need(find_library(), 20 * MB, 100 * MB).host_bytes > small.host_bytes
    assert memory_need(find_library(), 20 * MB, 100 * MB).gpu_bytes > small.gpu_bytes
    assert memory_need(find_library(), 10 * MB, 200 * MB).gpu_bytes == small.gpu_bytes + 100 * MB


def test_tensorrt_rtx_needs_no_gpu(install: Install) -> None:
    install("rtx")
    need = memory_need(find_library(), 10 * MB, 100 * MB)
    assert need.gpu_bytes == 0
    check_memory(need, None, 1000 * MB)


@pytest.mark.parametrize(
    ("integrated", "host_mb", "gpu_mb", "told"),
    [
        (False, 1039, 9999, "a build takes about 1040 MB; the computer has 1039 MB free"),
        (False, 9999, 1119, "a build takes about 1120 MB; the GPU has 1119 MB free"),
        (True, 2159, 9999, "a build takes about 2160 MB; the computer has 2159 MB free"),
    ],
)
def test_too_little_is_refused_with_both_sides(
    install: Install, gpu: FakeGpu, *, integrated: bool, host_mb: int, gpu_mb: int, told: str
) -> None:
    install("10.3")
    gpu.integrated, gpu.free = integrated, gpu_mb * MB
    need = memory_need(find_library(), 10 * MB, 100 * MB)
    assert (need.host_bytes, need.gpu_bytes) == (1040 * MB, 1120 * MB)
    with pytest.raises(BackendError, match=told) as caught:
        check_memory(need, open_cuda(), host_mb * MB)
    assert "--workspace-mb" in str(caught.value.hint)
    assert "--skip-memory-check" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("integrated", "host_mb", "gpu_mb"), [(False, 1040, 1120), (True, 2160, 0), (False, None, 1120)]
)
def test_enough_is_enough_and_a_shared_memory_must_hold_the_sum(
    install: Install, gpu: FakeGpu, *, integrated: bool, host_mb: int | None, gpu_mb: int
) -> None:
    install("10.3")
    gpu.integrated, gpu.free = integrated, gpu_mb * MB
    need = memory_need(find_library(), 10 * MB, 100 * MB)
    check_memory(need, open_cuda(), None if host_mb is None else host_mb * MB)


def test_free_memory_is_what_the_system_calls_available(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    meminfo = tmp_path / "meminfo"
    monkeypatch.setattr(memory_check, "_MEMINFO", meminfo)
    assert free_host_bytes() is None
    meminfo.write_text("MemTotal:  7990000 kB\nMemFree:  100 kB\nMemAvailable:  2048 kB\n")
    assert free_host_bytes() == 2048 * 1024
    meminfo.write_text("MemTotal:  7990000 kB\n")
    assert free_host_bytes() is None
