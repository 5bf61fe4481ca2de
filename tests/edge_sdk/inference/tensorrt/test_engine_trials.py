"""Only an engine that ran in a process of its own is loaded by who must not crash."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_builds import Told, build, finished, told_build
from fake_installation import FakeInstallation
from gpu_onnx import scaled_onnx

from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt.cuda import Gpu
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
from edge_sdk.inference.tensorrt.sealed_file import read_seal, read_sealed
from edge_sdk.inference.tensorrt.trial_mark import remove_mark, write_mark

ORIN = Gpu("Orin", "8.7", integrated=True, memory_bytes=8 << 30, cuda="12.6")


OPEN = """
import sys
from pathlib import Path
from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt.open import open_engine
try:
    open_engine(bytes.fromhex(sys.argv[2]), name="onnx-float32", cache=Path(sys.argv[1]))
    print("runs")
except BackendError as error:
    print(error.message, error.hint)
"""


@pytest.fixture
def address_space() -> Iterator[int]:
    """Bytes that a process may take that is started meanwhile, far more than any here does."""
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    size = 1 << 40 if most == resource.RLIM_INFINITY else min(1 << 40, most)
    resource.setrlimit(resource.RLIMIT_AS, (size, most))
    try:
        yield size
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, most))


def opened_elsewhere(cache: Path) -> str:
    """What becomes of who opens the engine, in a process of its own as a device does."""
    words = [str(cache), scaled_onnx().hex()]
    done = subprocess.run([sys.executable, "-c", OPEN, *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() or f"ended with {done.returncode}"


@pytest.mark.parametrize("behaviour", ["die:deserialize_cuda_engine", "die:execute_async_v3"])
def test_an_engine_that_crashes_its_loader_is_a_failure_and_crashes_nobody_else(
    installation: FakeInstallation, cache: Path, behaviour: str
) -> None:
    installation.install("10.3", behaviour=behaviour)
    for _ in range(2):  # what lies there from the first time takes the second along no more
        with pytest.raises(BackendError, match="tried the engine of onnx-float32 ended by SIGSEGV"):
            build(cache)
        told = opened_elsewhere(cache)
        assert "has not run yet on Orin under CUDA 12.6" in told
        assert "edge-sdk build BUNDLE" in told
    installation.install("10.3")
    assert finished(build(cache)).tried
    assert opened_elsewhere(cache) == "runs"


def test_an_engine_that_crashes_its_loader_though_it_once_ran_is_built_again(
    installation: FakeInstallation, cache: Path
) -> None:
    """As after an update of what NVIDIA's library stands on."""
    path = Path(finished(build(cache)).path)
    whole = path.read_bytes()
    record, plan = read_sealed(path, EngineRecord)
    EngineCache(cache).write(record, bytes(plan).replace(b'"typed"', b'"deadly": 1, "typed"'))
    write_mark(path, ORIN, seal=read_seal(path))
    assert opened_elsewhere(cache) == f"ended with {-signal.SIGSEGV}"
    told: Told = []
    assert finished(told_build(cache, None, told.append)).status == "built"
    assert any("building again: " in str(one) and "SIGSEGV" in str(one) for one in told)
    assert path.read_bytes() == whole
    assert opened_elsewhere(cache) == "runs"


def test_a_trial_that_is_killed_for_want_of_memory_says_nothing_against_the_engine(
    installation: FakeInstallation, cache: Path
) -> None:
    """As where ``edge-sdk run`` holds the memory: its next start must find the engine as it was."""
    build(cache)
    installation.install("10.3", behaviour="kill:deserialize_cuda_engine")
    with pytest.raises(BackendError, match="tried the engine of onnx-float32 was killed") as caught:
        build(cache)
    assert "memory" in str(caught.value.hint)
    installation.install("10.3")
    assert opened_elsewhere(cache) == "runs"


@pytest.mark.parametrize(
    "fault",
    [
        {"failing": {"cudaMalloc": "cudaErrorMemoryAllocation"}},
        {"behaviour": "no_memory"},
        {"behaviour": "no_context"},
        {"behaviour": "raise:execute_async_v3:RuntimeError: std::bad_alloc"},
    ],
    ids=["CUDA", "loading", "context", "running"],
)
def test_an_engine_that_finds_no_memory_is_left_as_it_is(
    installation: FakeInstallation, cache: Path, fault: dict[str, Any]
) -> None:
    """A build takes half an hour on a Jetson, and what it gave would find as little."""
    before = read_seal(Path(finished(build(cache)).path))
    installation.install("10.3", **fault)
    told: Told = []
    with pytest.raises(BackendError, match="no memory to try the engine of onnx-float32: ") as caught:
        told_build(cache, None, told.append)
    assert "smaller variant" in str(caught.value.hint)
    command = f"`edge-sdk build BUNDLE --workspace-mb N --cache {cache}`, N less than the 512"
    assert command in str(caught.value.hint)
    assert not any("building again" in str(one) for one in told)
    (path,) = cache.glob("*.engine")
    assert read_seal(path) == before
    installation.install("10.3")
    assert opened_elsewhere(cache) == "runs"


def test_an_engine_that_the_computers_memory_does_not_take_is_left_as_it_is(
    installation: FakeInstallation, cache: Path, address_space: int
) -> None:
    path = Path(finished(build(cache)).path)
    size = path.stat().st_size
    os.truncate(path, 2 * address_space)  # zeros, which take no room on the disk
    told: Told = []
    with pytest.raises(BackendError, match="no memory to read the engine") as caught:
        told_build(cache, None, told.append)
    assert "smaller variant" in str(caught.value.hint)
    assert not any("building again" in str(one) for one in told)
    os.truncate(path, size)
    assert finished(build(cache)).status == "found"
    assert opened_elsewhere(cache) == "runs"


def test_a_library_that_does_not_start_says_nothing_against_the_engine(
    installation: FakeInstallation, cache: Path
) -> None:
    """It was not even looked at; nor is it for want of memory, as far as anybody tells."""
    before = read_seal(Path(finished(build(cache)).path))
    installation.install("10.3", behaviour="raise:Runtime:RuntimeError: CUDA initialization failure")
    told: Told = []
    with pytest.raises(BackendError, match=r"^TensorRT 10\.3\.0 does not start: ") as caught:
        told_build(cache, None, told.append)
    assert "dmesg" in str(caught.value.hint)
    assert not any("building again" in str(one) for one in told)
    (path,) = cache.glob("*.engine")
    assert read_seal(path) == before
    installation.install("10.3")
    assert opened_elsewhere(cache) == "runs"


def test_an_engine_that_finds_no_memory_is_built_again_with_less_for_its_kernels_if_asked(
    installation: FakeInstallation, cache: Path
) -> None:
    build(cache, workspace_mb=512)
    installation.install("10.3", failing={"cudaMalloc": "cudaErrorMemoryAllocation"})
    told: Told = []
    with pytest.raises(BackendError, match="no memory to try the engine"):
        told_build(cache, None, told.append, workspace_mb=64, least_workspace_mb=64)
    (path,) = cache.glob("*.engine")
    assert read_sealed(path, EngineRecord)[0].workspace_mb == 64
    assert any("building again" in str(one) for one in told)


def test_a_trial_that_is_ended_from_outside_says_nothing_against_the_engine(
    installation: FakeInstallation, cache: Path
) -> None:
    """As by a service manager that stops, or by what watches the memory and is faster than the system."""
    before = read_seal(Path(finished(build(cache)).path))
    installation.install("10.3", behaviour="end:deserialize_cuda_engine")
    with pytest.raises(BackendError, match="tried the engine of onnx-float32 was ended by SIGTERM") as caught:
        build(cache)
    assert "no crash" in str(caught.value.hint)
    (path,) = cache.glob("*.engine")
    assert read_seal(path) == before
    installation.install("10.3")
    assert opened_elsewhere(cache) == "runs"


def test_an_engine_that_never_ran_is_not_loaded(installation: FakeInstallation, cache: Path) -> None:
    installation.install("10.3", behaviour="no_run")
    with pytest.raises(BackendError, match="failed to run onnx-float32"):
        build(cache)
    assert "has not run yet" in opened_elsewhere(cache)


def test_an_engine_from_elsewhere_runs_once_it_was_tried_here(
    installation: FakeInstallation, cache: Path
) -> None:
    """Copied from a computer that could not try it, or made before engines were tried."""
    built = finished(build(cache))
    remove_mark(Path(built.path))
    assert "has not run yet" in opened_elsewhere(cache)
    assert finished(build(cache)).status == "found"
    assert opened_elsewhere(cache) == "runs"


def test_another_driver_asks_for_another_trial(installation: FakeInstallation, cache: Path) -> None:
    """An engine of TensorRT-RTX holds under any, as far as its fingerprint tells."""
    card: dict[str, Any] = {"capability": [8, 6], "name": "RTX 3060", "integrated": False}
    installation.install("rtx", **card)
    build(cache)
    assert opened_elsewhere(cache) == "runs"
    installation.install("rtx", **card, driver=13000)
    assert "has not run yet on RTX 3060 under CUDA 13.0" in opened_elsewhere(cache)
    assert finished(build(cache)).status == "found"
    assert opened_elsewhere(cache) == "runs"
