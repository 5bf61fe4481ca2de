"""The mark of an engine that ran holds for how it ran: with a CUDA graph or without, in which memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from engine_builds import Told, build, engines_in, finished, told_build
from fake_gpu import FakeGpu
from fake_installation import FakeInstallation
from gpu_onnx import scaled_onnx
from msgspec import Struct

from edge_sdk.errors import BackendError, BackendUnavailableError
from edge_sdk.inference.tensorrt.cuda import Gpu
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
from edge_sdk.inference.tensorrt.open import open_engine
from edge_sdk.inference.tensorrt.sealed_file import read_seal, read_sealed, write_sealed
from edge_sdk.inference.tensorrt.trial_mark import TrialSettings, is_tried, write_mark

ORIN = Gpu("Orin", "8.7", integrated=True, memory_bytes=8 << 30, cuda="12.6")
MAPPED = TrialSettings(mapped_memory=True)
NO_GRAPH = TrialSettings(cuda_graph=False)


@pytest.fixture(autouse=True)
def loaded_here(install: Callable[..., None], installation: FakeInstallation) -> None:
    """TensorRT 10.3 on an Orin, for this process, and for those that it starts."""
    install("10.3")


def opened(cache: Path, settings: TrialSettings) -> str:
    """What becomes of who opens the engine with these."""
    try:
        open_engine(
            scaled_onnx(),
            name="onnx-float32",
            cache=cache,
            graph=settings.cuda_graph,
            mapped_memory=settings.mapped_memory,
        ).close()
    except BackendUnavailableError as error:
        return str(error)
    return "runs"


def test_an_engine_is_not_loaded_with_settings_that_it_was_not_tried_with(cache: Path) -> None:
    built = finished(build(cache))
    assert opened(cache, TrialSettings()) == "runs"
    told = opened(cache, MAPPED)
    assert "has not run yet on Orin under CUDA 12.6 with cuda_graph = true, mapped_memory = true" in told
    assert f"`edge-sdk build BUNDLE --config CONFIG.toml --cache {cache}` tries it" in told
    again = finished(build(cache, settings=MAPPED))
    assert (again.status, again.path, again.tried) == ("found", built.path, True)
    assert [opened(cache, one) for one in (MAPPED, TrialSettings())] == ["runs", "runs"]
    assert "has not run yet" in opened(cache, NO_GRAPH)
    assert len(engines_in(cache)) == 1


def test_a_card_maps_no_memory_and_so_asks_for_no_trial_of_it(
    installation: FakeInstallation, cache: Path, gpu: FakeGpu
) -> None:
    installation.install("10.3", integrated=False)
    gpu.integrated = False
    build(cache)
    assert opened(cache, MAPPED) == "runs"


def test_an_engine_that_crashes_with_other_settings_is_neither_built_again_nor_forgotten(
    installation: FakeInstallation, cache: Path
) -> None:
    path = Path(finished(build(cache)).path)
    before = read_seal(path)
    installation.install("10.3", behaviour="die:execute_async_v3")
    with pytest.raises(BackendError, match=r"runs, but not with .*mapped_memory = true: .*SIGSEGV") as caught:
        build(cache, settings=MAPPED)
    assert "[inference.tensorrt]" in str(caught.value.hint)
    assert read_seal(path) == before
    assert opened(cache, TrialSettings()) == "runs"
    assert "has not run yet" in opened(cache, MAPPED)


def test_an_engine_that_fails_with_other_settings_is_told_with_what_failed(
    installation: FakeInstallation, cache: Path
) -> None:
    build(cache)
    installation.install("10.3", failing={"cudaHostGetDevicePointer": "cudaErrorUnknown"})
    with pytest.raises(BackendError, match=r"runs, but not with .*: .*cudaErrorUnknown"):
        build(cache, settings=MAPPED)
    assert finished(build(cache)).status == "found"


def test_a_trial_runs_the_graph_and_without_one_the_engine_may_run_all_the_same(
    installation: FakeInstallation, cache: Path
) -> None:
    installation.install("10.3", failing={"cudaGraphLaunch": "cudaErrorLaunchFailure"})
    with pytest.raises(BackendError, match="cudaGraphLaunch: cudaErrorLaunchFailure"):
        build(cache)
    assert finished(build(cache, settings=NO_GRAPH)).status == "found"
    assert opened(cache, NO_GRAPH) == "runs"
    assert "has not run yet" in opened(cache, TrialSettings())


GRAPHS_FAIL = {"failing": {"cudaGraphLaunch": "cudaErrorLaunchFailure"}}
RUNS_CRASH = {"behaviour": "die:execute_async_v3"}


@pytest.mark.parametrize("fault", [GRAPHS_FAIL, RUNS_CRASH], ids=["fails", "crashes"])
def test_an_engine_that_no_longer_runs_in_one_way_stays_for_who_runs_it_in_another(
    installation: FakeInstallation, cache: Path, fault: dict[str, Any]
) -> None:
    path = Path(finished(build(cache)).path)
    build(cache, settings=NO_GRAPH)
    before = read_seal(path)
    installation.install("10.3", **fault)
    with pytest.raises(BackendError, match="runs, but not with cuda_graph = true"):
        build(cache)
    assert read_seal(path) == before
    assert opened(cache, NO_GRAPH) == "runs"
    assert "has not run yet" in opened(cache, TrialSettings())


def test_an_engine_that_no_longer_runs_in_any_way_is_built_again(
    installation: FakeInstallation, cache: Path
) -> None:
    build(cache)
    build(cache, settings=NO_GRAPH)
    installation.install("10.3", **RUNS_CRASH)
    with pytest.raises(BackendError, match="runs, but not with cuda_graph = true"):
        build(cache)
    told: Told = []
    with pytest.raises(BackendError, match="tried the engine of onnx-float32 ended by SIGSEGV"):
        told_build(cache, None, told.append, settings=NO_GRAPH)
    assert any("building again: " in str(one) for one in told)


def test_want_of_memory_says_nothing_against_an_engine(installation: FakeInstallation, cache: Path) -> None:
    build(cache)
    build(cache, settings=NO_GRAPH)
    installation.install("10.3", failing={"cudaMalloc": "cudaErrorMemoryAllocation"})
    with pytest.raises(BackendError, match="cudaErrorMemoryAllocation") as caught:
        build(cache)
    assert "--workspace-mb" not in str(caught.value.hint)  # who runs it in the other way is to keep it
    assert [opened(cache, one) for one in (TrialSettings(), NO_GRAPH)] == ["runs", "runs"]


def test_another_engine_has_not_run_in_any_way(cache: Path) -> None:
    path = Path(finished(build(cache)).path)
    write_mark(path, ORIN, MAPPED, seal=read_seal(path))
    assert is_tried(path, ORIN, MAPPED)
    record, plan = read_sealed(path, EngineRecord)
    EngineCache(cache).write(record, bytes(plan))
    assert [one.suffix for one in cache.glob("*.tried")] == []


def test_a_mark_from_before_settings_were_kept_holds_for_the_usual_ones(cache: Path) -> None:
    class OlderTrial(Struct):
        engine: str
        gpu: str
        cuda: str

    path = Path(finished(build(cache)).path)
    mark = path.with_suffix(".tried")
    older = OlderTrial(read_seal(path).hex(), "Orin", "12.6")
    write_sealed(mark, older, b"", partial=mark.with_suffix(".partial"))
    assert opened(cache, TrialSettings()) == "runs"
    assert not is_tried(path, ORIN, NO_GRAPH)
