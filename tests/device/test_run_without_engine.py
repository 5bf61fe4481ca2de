"""Whatever is wrong with TensorRT, the GPU or the engine: ``run`` goes on by ONNX Runtime, and publishes why.

TensorRT and CUDA are fakes; what runs, builds and publishes is the command line in processes of its own.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from device_run import Finished, StartDevice
from fake_installation import FakeInstallation
from small_rights import WITHOUT_BYTECODE, without_root_rights
from stored_states import wait_for_state
from tiny_bundle import tiny_bundle

from edge_sdk.contract.messages import Reported
from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.inference.tensorrt.cuda import Gpu
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
from edge_sdk.inference.tensorrt.sealed_file import read_seal, read_sealed, write_sealed
from edge_sdk.inference.tensorrt.trial_mark import remove_mark, write_mark
from edge_sdk.monitor.store import Store

ORIN = Gpu("Orin", "8.7", integrated=True, memory_bytes=8 << 30, cuda="12.6")


@dataclass(frozen=True)
class Jetson:
    """A device with a fake TensorRT, and with an engine that runs, where it is not said otherwise.

    Attributes:
        installation: What is installed.
        cache_home: Where its caches are.
    """

    installation: FakeInstallation
    cache_home: Path

    @property
    def engines(self) -> Path:
        """The folder of engines."""
        return self.cache_home / "edge-sdk" / "engines"

    @property
    def engine(self) -> Path:
        """The one that is there."""
        (found,) = self.engines.glob("*.engine")
        return found

    @property
    def environment(self) -> dict[str, str]:
        """For its processes."""
        state = self.cache_home / "state"  # no pick but those of the test
        return {
            "XDG_CACHE_HOME": str(self.cache_home),
            "XDG_STATE_HOME": str(state),
            "PYTHONPATH": self.installation.search_path,
        }

    def change_plan(self, old: bytes, new: bytes) -> None:
        """Have another engine in its place, of which everything else is right."""
        record, plan = read_sealed(self.engine, EngineRecord)
        content = bytes(plan)
        assert old in content
        write_sealed(self.engine, record, content.replace(old, new), partial=self.engines / "new.partial")
        write_mark(self.engine, ORIN, seal=read_seal(self.engine))

    def build(self, bundle: Path, prepare: Callable[[], object] = lambda: None) -> dict[str, Any]:
        """Run ``edge-sdk build``; gives what it says of the variant."""
        try:
            done = subprocess.run(
                [sys.executable, "-m", "edge_sdk.cli", "build", str(bundle), "--json"],
                capture_output=True,
                check=False,
                preexec_fn=prepare,
                env=self.environment | WITHOUT_BYTECODE,
            )
        except subprocess.SubprocessError:
            pytest.skip("the rights of root cannot be given up here")
        (variant,) = json.loads(done.stdout)["variants"]
        return dict(variant)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tiny_bundle(("onnx-float32",))
    return made.write(tmp_path_factory.mktemp("bundle") / "tones-0.1.0.edge")


def new_jetson(folder: Path) -> Jetson:
    installed = folder / "installed"
    installed.mkdir()
    made = FakeInstallation(installed)
    made.install("10.3")
    return Jetson(made, folder / "cache")


@pytest.fixture(scope="module")
def with_engine(tmp_path_factory: pytest.TempPathFactory, bundle: Path) -> Path:
    """The caches of a device on which ``edge-sdk build`` ran."""
    jetson = new_jetson(tmp_path_factory.mktemp("jetson"))
    assert jetson.build(bundle)["ran_here"]
    return jetson.cache_home


@pytest.fixture
def jetson(tmp_path: Path, with_engine: Path) -> Jetson:
    made = new_jetson(tmp_path)
    shutil.copytree(with_engine, made.cache_home)
    return made


@pytest.fixture
def run_on(
    run_device_process: StartDevice, bundle: Path, two_tones: Path, tmp_path: Path, broker: EmbeddedBroker
) -> Callable[[Jetson, str], Finished]:
    """Runs the bundle under the name of a device until the recording is over and all is published."""

    def run(jetson: Jetson, name: str) -> Finished:
        words = ["--source", two_tones, "--broker", broker.url, "--receiver-id", "monitor", "--json"]
        where = ["--device", name, "--outbox", tmp_path / "outbox", "--drain-s", "60"]
        wanted = ["--backend", "tensorrt", "--backend", "onnx"]
        return run_device_process(bundle, *words, *where, *wanted, environment=jetson.environment).finished()

    return run


def require_fallback(done: Finished, store: Store, name: str, reason: str) -> None:
    """All that was to be heard was heard, and what could not run it is told on stderr and over MQTT."""
    assert done.code == 0, done.err
    assert done.document["events"] == {"low": 1, "high": 1}
    assert done.document["backend"] == "onnx"
    reported = wait_for_state(store, Reported, lambda report: report.device == name)
    assert (reported.variant, reported.backend) == ("onnx-float32", "onnx")
    (refused,) = reported.refused
    assert (refused.variant, refused.backend) == ("onnx-float32", "tensorrt")
    assert reason in refused.reason
    assert "WARNING onnx-float32 on tensorrt does not work here:" in done.err
    assert reason in done.err
    assert "hint: " in done.err
    assert "Traceback" not in done.err


def test_with_nothing_wrong_tensorrt_runs_it(
    jetson: Jetson, run_on: Callable[[Jetson, str], Finished], store: Store
) -> None:
    jetson.engines.chmod(0o500)  # to run, nothing is written there
    done = run_on(jetson, "box-well")
    assert done.code == 0, done.err
    assert (done.document["backend"], done.document["refused"]) == ("tensorrt", [])
    assert done.document["events"] == {"low": 1, "high": 1}


def install(release: str = "10.3", **settings: Any) -> Callable[[Jetson], None]:
    return lambda jetson: jetson.installation.install(release, **settings)


def flip_a_bit(jetson: Jetson) -> None:
    whole = bytearray(jetson.engine.read_bytes())
    whole[len(whole) // 2] ^= 1
    jetson.engine.write_bytes(whole)


def truncate(jetson: Jetson) -> None:
    jetson.engine.write_bytes(jetson.engine.read_bytes()[:-10])


def be_of_another_model(jetson: Jetson) -> None:
    """As after an update of the bundle."""
    path = jetson.engine
    record, plan = read_sealed(path, EngineRecord)
    other = msgspec.structs.replace(record.fingerprint, onnx_sha256="b" * 64)
    EngineCache(jetson.engines).write(msgspec.structs.replace(record, fingerprint=other), plan)
    path.unlink()


def put_a_folder_there(jetson: Jetson) -> None:
    path = jetson.engine
    path.unlink()
    path.mkdir()


FAULTS: dict[str, tuple[Callable[[Jetson], object], str]] = {
    # the library and the driver
    "no-library": (lambda it: it.installation.hide(), "the Python library 'tensorrt' is not installed"),
    "broken-library": (
        lambda it: it.installation.hide("libnvinfer.so.10: cannot open shared object file"),
        "tensorrt is installed but does not load: libnvinfer.so.10",
    ),
    "no-driver": (install(driver=0, count=0), "there is no NVIDIA driver"),
    "no-driver-library": (
        install(failing={"cudaDriverGetVersion": "RuntimeError: Failed to dlopen libcuda.so.1"}),
        "there is no NVIDIA driver: Failed to dlopen libcuda.so.1",
    ),
    "no-driver-function": (
        install(failing={"cudaGetDeviceProperties": "RuntimeError: Failed to dlopen libcuda.so.1"}),
        "cudaGetDeviceProperties: RuntimeError: Failed to dlopen",
    ),
    "no-gpu": (install(count=0), "cudaErrorNoDevice"),
    # the engine
    "unbuilt": (lambda it: shutil.rmtree(it.engines), "no engine of"),
    "corrupted": (flip_a_bit, "is damaged: its digest"),
    "truncated": (truncate, "is damaged: its digest"),
    "foreign": (lambda it: it.engine.write_bytes(b"ptrt" * 50), "is damaged: edge-sdk did not write it"),
    "unreadable": (put_a_folder_there, "cannot read the engine"),
    "other-version": (install("11.4"), "version 10.3.0 (here: 11.4.1)"),
    "other-gpu": (install(capability=[7, 2], name="Xavier"), "compute capability 8.7 (here: 7.2)"),
    "other-model": (be_of_another_model, "is of an ONNX file of SHA-256 bbbbbbbbbbbb... (here: "),
    "untried": (lambda it: remove_mark(it.engine), "has not run yet on Orin"),
    "refused": (lambda it: it.change_plan(b"10.3.0", b"10.2.0"), "refuses the engine of"),
    # memory and what else fails when it is loaded or run
    "no-memory-for-engine": (
        install(behaviour="raise:deserialize_cuda_engine:RuntimeError: std::bad_alloc"),
        "RuntimeError: std::bad_alloc",
    ),
    "no-memory-for-context": (
        install(behaviour="raise:create_execution_context:MemoryError: std::bad_alloc"),
        "MemoryError: std::bad_alloc",
    ),
    "no-memory-for-activations": (install(behaviour="no_context"), "OutOfMemory"),
    "no-memory-for-tensors": (install(memory_bytes=20), "cudaMalloc: cudaErrorMemoryAllocation"),
    "no-run": (install(behaviour="no_run"), "failed to run"),
    "gpu-lost": (
        install(failing={"cudaStreamSynchronize": "cudaErrorIllegalAddress"}),
        "cudaStreamSynchronize: cudaErrorIllegalAddress",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_where_tensorrt_cannot_run_it_onnx_runtime_does_and_both_are_told(
    jetson: Jetson, run_on: Callable[[Jetson, str], Finished], store: Store, fault: str
) -> None:
    put_in_place, reason = FAULTS[fault]
    put_in_place(jetson)
    require_fallback(run_on(jetson, f"box-{fault}"), store, f"box-{fault}", reason)


FAILED_BUILDS: dict[str, tuple[str, Callable[[], object], str, str]] = {
    # what the installation does, the rights and limits of the builder, what it says, what `run` then says
    "full": (
        "",
        lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
        "cannot write the engine",
        "no engine of",
    ),
    "read-only": ("", without_root_rights, "Permission denied", "no engine of"),
    "killed": ("kill:build_serialized_network", lambda: None, "was killed", "no engine of"),
    "crashing": ("die:deserialize_cuda_engine", lambda: None, "ended by SIGSEGV", "has not run yet on Orin"),
}


@pytest.mark.parametrize("fault", FAILED_BUILDS)
def test_where_no_engine_could_be_built_onnx_runtime_runs_it_and_both_are_told(
    tmp_path: Path, bundle: Path, run_on: Callable[[Jetson, str], Finished], store: Store, fault: str
) -> None:
    behaviour, prepare, told_by_build, told_by_run = FAILED_BUILDS[fault]
    jetson = new_jetson(tmp_path)
    jetson.installation.install("10.3", behaviour=behaviour)
    jetson.engines.mkdir(parents=True)
    if fault == "read-only":
        jetson.engines.chmod(0o500)
    built = jetson.build(bundle, prepare)
    assert built["status"] == "failed"
    assert told_by_build in built["reason"]
    require_fallback(run_on(jetson, f"box-{fault}"), store, f"box-{fault}", told_by_run)
