"""The process that builds: one engine whole or none, for which GPU, and when an old one will do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_builds import Told, build, engines_in, finished, told_build
from fake_installation import FakeInstallation
from gpu_onnx import scaled_onnx, unknown_onnx

from edge_sdk.errors import BackendError, UsageError
from edge_sdk.inference.tensorrt.build_messages import Refused, Working
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
from edge_sdk.inference.tensorrt.library import Library
from edge_sdk.inference.tensorrt.sealed_file import read_sealed


def test_an_engine_is_built_once_and_then_found(installation: FakeInstallation, cache: Path) -> None:
    first = finished(build(cache))
    assert (first.status, first.here, first.tried) == ("built", True, True)
    assert engines_in(cache) == [Path(first.path)]
    again = finished(build(cache))
    assert (again.status, again.path, again.tried) == ("found", first.path, True)


@pytest.mark.parametrize(
    "change",
    [
        {"release": "8.6"},
        {"capability": [7, 2], "name": "Xavier"},
        {"driver": 12020},
    ],
    ids=str,
)
def test_a_stale_engine_is_no_engine_and_is_built_again(
    installation: FakeInstallation, cache: Path, change: dict[str, Any]
) -> None:
    first = finished(build(cache))
    installation.install(**{"release": "10.3", **change})
    second = finished(build(cache))
    assert second.status == "built"
    assert second.path != first.path
    same_gpu = "name" not in change
    assert second.removed == ([first.path] if same_gpu else [])
    assert len(engines_in(cache)) == (1 if same_gpu else 2)


def test_another_onnx_is_another_engine(installation: FakeInstallation, cache: Path) -> None:
    one, other = finished(build(cache)), finished(build(cache, scaled_onnx(3.0), name="onnx-int8"))
    assert engines_in(cache) == sorted([Path(one.path), Path(other.path)])


def test_another_onnx_of_the_same_name_takes_its_place_once_its_engine_ran(
    installation: FakeInstallation, cache: Path
) -> None:
    first = finished(build(cache))
    installation.install("10.3", behaviour="no_run")
    with pytest.raises(BackendError, match="failed to run"):
        build(cache, scaled_onnx(3.0))
    assert Path(first.path) in engines_in(cache)
    installation.install("10.3")
    second = finished(build(cache, scaled_onnx(3.0)))
    assert second.removed == [first.path]
    assert engines_in(cache) == [Path(second.path)]


def test_a_damaged_engine_is_built_again(installation: FakeInstallation, cache: Path) -> None:
    path = Path(finished(build(cache)).path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    told: Told = []
    assert finished(told_build(cache, None, told.append)).status == "built"
    assert any(isinstance(one, Working) and "building again" in one.what for one in told)
    assert path.read_bytes() == whole


def test_an_engine_that_tensorrt_refuses_all_the_same_is_built_again(
    installation: FakeInstallation, cache: Path
) -> None:
    """As after an update that changed the library and left its version."""
    path = Path(finished(build(cache)).path)
    whole = path.read_bytes()
    record, plan = read_sealed(path, EngineRecord)
    EngineCache(cache).write(record, bytes(plan).replace(b"10.3.0", b"10.2.0"))
    told: Told = []
    assert finished(told_build(cache, None, told.append)).status == "built"
    assert any("refuses the engine of onnx-float32: Version tag does not match" in str(one) for one in told)
    assert path.read_bytes() == whole


def test_what_was_measured_serves_the_next_model(installation: FakeInstallation, cache: Path) -> None:
    build(cache)
    (timings,) = cache.glob("*.timings")
    before = len(timings.read_bytes())
    build(cache, scaled_onnx(3.0))
    assert len(timings.read_bytes()) == before + 1


def test_a_model_that_is_refused_is_no_error(installation: FakeInstallation, cache: Path) -> None:
    outcome = build(cache, unknown_onnx())
    assert isinstance(outcome, Refused)
    assert outcome.builder == "TensorRT 10.3.0"
    assert [refusal.operator for refusal in outcome.refusals] == ["MelWeightMatrix"]
    assert engines_in(cache) == []


def test_what_the_library_prints_is_no_message(installation: FakeInstallation, cache: Path) -> None:
    installation.install("10.3", behaviour="prints")
    assert finished(build(cache)).status == "built"


def test_too_little_memory_on_the_gpu_is_told_before_the_build(
    installation: FakeInstallation, cache: Path
) -> None:
    installation.install("10.3", integrated=False, memory_bytes=600_000_000)
    with pytest.raises(BackendError, match="the GPU has 600 MB free"):
        build(cache)
    assert finished(build(cache, check_memory=False)).status == "built"


@pytest.mark.parametrize("change", [{"driver": 0, "count": 0}, {"count": 0}], ids=["no driver", "no GPU"])
def test_without_a_gpu_nothing_is_built_for_it(
    installation: FakeInstallation, cache: Path, change: dict[str, Any]
) -> None:
    installation.install("10.3", **change)
    with pytest.raises(BackendError, match=r"no NVIDIA driver|cudaErrorNoDevice") as caught:
        build(cache)
    assert caught.value.hint is not None


def test_tensorrt_builds_for_its_own_gpu_under_that_name_too(
    installation: FakeInstallation, cache: Path
) -> None:
    assert finished(build(cache, target="8.7")).here
    assert finished(build(cache)).status == "found"


def test_more_memory_for_kernels_than_it_was_built_with_is_another_build(
    installation: FakeInstallation, cache: Path
) -> None:
    path = Path(finished(build(cache, workspace_mb=64)).path)
    assert finished(build(cache)).status == "found"
    told: Told = []
    bigger = told_build(cache, None, told.append, workspace_mb=128, least_workspace_mb=128)
    assert finished(bigger).status == "built"
    assert any("--workspace-mb 64, asked for 128" in str(one) for one in told)
    assert read_sealed(path, EngineRecord)[0].workspace_mb == 128
    assert finished(build(cache, workspace_mb=64, least_workspace_mb=64)).status == "found"


def test_a_broken_tensorrt_is_told_even_where_its_gpu_is_asked_for_by_number(
    installation: FakeInstallation, cache: Path
) -> None:
    installation.hide("libnvinfer.so.10: cannot open shared object file")
    with pytest.raises(BackendError, match=r"does not load: libnvinfer\.so\.10"):
        build(cache, target="8.7")


@pytest.mark.usefixtures("rtx")
def test_an_engine_for_cards_elsewhere_was_not_tried(cache: Path) -> None:
    built = finished(build(cache, target="12.0"))
    assert (built.here, built.tried, built.fingerprint.compute_capability) == (False, False, "12.0")
    assert finished(build(cache, target="12.0")).status == "found"
    assert finished(build(cache, target="8.6")).status == "built"


@pytest.mark.usefixtures("rtx")
def test_a_capability_that_is_not_known_is_wrong_use(cache: Path) -> None:
    with pytest.raises(UsageError, match=r"does not build for compute capability 8\.7"):
        build(cache, target="8.7")
    assert not cache.exists()


def test_for_other_gpus_than_its_own_tensorrt_does_not_build(
    rtx: Library, installation: FakeInstallation, cache: Path
) -> None:
    """TensorRT-RTX beside it does."""
    built = finished(build(cache, target="8.6"))
    assert built.fingerprint.product == rtx.product
