"""The process that builds: one engine whole or none, whatever ends it, and never two at once."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import psutil
import pytest
from fake_installation import FakeInstallation
from gpu_onnx import deep_onnx, scaled_onnx, unknown_onnx

from edge_sdk.errors import BackendError, UsageError
from edge_sdk.inference.tensorrt import build_child
from edge_sdk.inference.tensorrt.build_child import Outcome, make_engine
from edge_sdk.inference.tensorrt.build_lock import build_lock
from edge_sdk.inference.tensorrt.build_messages import Finished, Job, Refused, Waiting, Working
from edge_sdk.inference.tensorrt.cuda import Gpu
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
from edge_sdk.inference.tensorrt.library import Library
from edge_sdk.inference.tensorrt.sealed_file import read_sealed
from edge_sdk.inference.tensorrt.trial_mark import remove_mark, write_mark

SECONDS = 120.0
ORIN = Gpu("Orin", "8.7", integrated=True, memory_bytes=8 << 30, cuda="12.6")
Told = list[Waiting | Working]


def build(cache: Path, model: bytes | None = None, *, limit: float = SECONDS, **changes: Any) -> Outcome:
    """Build a model, the small one unless it is said, and forget what is told meanwhile."""
    return told_build(cache, model, lambda _: None, limit=limit, **changes)


def told_build(
    cache: Path,
    model: bytes | None,
    on_progress: Callable[[Waiting | Working], None],
    *,
    limit: float = SECONDS,
    **changes: Any,
) -> Outcome:
    content = scaled_onnx() if model is None else model
    job = Job(
        name="onnx-float32",
        target="this",
        cache=str(cache),
        workspace_mb=512,
        check_memory=True,
        model_bytes=len(content),
    )
    job = msgspec.structs.replace(job, **changes)
    return make_engine(job, content, time_limit_s=limit, on_progress=on_progress)


def finished(outcome: Outcome) -> Finished:
    assert isinstance(outcome, Finished), outcome
    return outcome


def engines_in(cache: Path) -> list[Path]:
    """All of them, each held against its digest; nothing else but the lock and timings may be there."""
    found = sorted(cache.glob("*.engine"))
    for path in found:
        read_sealed(path, EngineRecord)
    assert {path.suffix for path in cache.iterdir()} <= {".engine", ".tried", ".lock", ".timings"}
    return found


# --- on a Jetson, as far as a fake shows ---


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


# --- only an engine that ran elsewhere is loaded by who must not crash ---

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
    write_mark(path, ORIN)
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


# --- what ends a builder ---


def test_a_file_system_without_locks_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    told = pytest.raises(BackendError, match=f"cannot lock {cache}: No locks available")
    with told as caught, build_lock(cache, lambda _: None):
        pass
    assert "--cache" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("behaviour", "told", "hint"),
    [
        ("kill", "the process that built onnx-float32 was killed", "memory"),
        ("die", "the process that built onnx-float32 ended by SIGSEGV", "dmesg"),
        ("raise MemoryError: ", "not enough memory to build the engine of onnx-float32", "end other"),
        ("raise RuntimeError: CUDA error", "build the engine of onnx-float32: RuntimeError: CUDA", "dmesg"),
    ],
)
def test_a_builder_that_dies_or_throws_is_an_error_with_its_own_hint_and_leaves_nothing(
    installation: FakeInstallation, cache: Path, behaviour: str, told: str, hint: str
) -> None:
    kind, _, error = behaviour.partition(" ")
    installation.install("10.3", behaviour=f"{kind}:build_serialized_network:{error}")
    with pytest.raises(BackendError, match=told) as caught:
        build(cache)
    assert hint in str(caught.value.hint)
    assert engines_in(cache) == []
    installation.install("10.3")
    assert finished(build(cache)).status == "built"


def test_a_builder_that_hangs_is_ended_when_its_time_is_over(
    installation: FakeInstallation, cache: Path
) -> None:
    installation.install("10.3", behaviour="hang")
    with pytest.raises(BackendError, match="building onnx-float32 was not done after 4 s") as caught:
        build(cache, limit=4)
    assert "--time-limit" in str(caught.value.hint)
    assert builders() == []


def test_a_process_that_cannot_even_start_tells_its_last_words(
    cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "msgspec.py").write_text("raise ImportError('msgspec is broken here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(BackendError, match=r"ended with code 1: .*msgspec is broken here"):
        build(cache, deep_onnx(50))  # more than a pipe holds


def test_who_loses_interest_ends_it(installation: FakeInstallation, cache: Path) -> None:
    """Ctrl-C, for example, in the midst of the build."""
    Path(finished(build(cache)).path).write_bytes(b"damaged")  # and so it has something to tell
    installation.install("10.3", behaviour="hang")

    def interrupt(message: Waiting | Working) -> None:  # as soon as it tells that it builds again
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        told_build(cache, None, interrupt)
    assert builders() == []


# --- TensorRT-RTX itself, without a GPU ---


class Building:
    """A build by TensorRT-RTX for cards that are not here, in a thread."""

    def __init__(self, cache: Path, layers: int) -> None:
        self.told: Told = []
        self.outcome: Outcome | BaseException | None = None
        self.is_building = threading.Event()
        self.is_waiting = threading.Event()
        self._model = deep_onnx(layers)
        self._cache = cache
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.outcome = told_build(self._cache, self._model, self._tell, target="8.6")
        except BackendError as error:
            self.outcome = error

    def _tell(self, message: Waiting | Working) -> None:
        self.told.append(message)
        (self.is_waiting if isinstance(message, Waiting) else self.is_building).set()

    def wait(self) -> Finished:
        self._thread.join(SECONDS)
        assert isinstance(self.outcome, Finished), self.outcome
        return self.outcome

    def error(self) -> BackendError:
        self._thread.join(SECONDS)
        assert isinstance(self.outcome, BackendError), self.outcome
        return self.outcome


def builders() -> list[int]:
    """Builders that descend from this process."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if "edge_sdk.inference.tensorrt.build_process" in process.cmdline():
                found.append(process.pid)
    return found


LAYERS = 200
"""They take the builder a second or more; it is stopped in their midst."""


@contextlib.contextmanager
def stopped_in_its_midst(cache: Path) -> Iterator[tuple[Building, int]]:
    """A build, and the process that does it, which gets no further until it goes on or is killed."""
    building = Building(cache, LAYERS)
    assert building.is_building.wait(SECONDS)
    (pid,) = builders()
    os.kill(pid, signal.SIGSTOP)
    assert int((cache / "build.lock").read_text()) == pid
    try:
        yield building, pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@pytest.mark.usefixtures("rtx")
def test_kill_9_in_the_midst_of_a_build_leaves_nothing_and_the_next_one_builds(cache: Path) -> None:
    with stopped_in_its_midst(cache) as (building, pid):
        os.kill(pid, signal.SIGKILL)
    assert "was killed" in building.error().message
    assert engines_in(cache) == []
    (cache / "half.partial").write_bytes(b"as it is left where the kill meets the writing")
    built = finished(build(cache, target="8.6"))
    assert engines_in(cache) == [Path(built.path)]


@pytest.mark.usefixtures("rtx")
def test_of_two_builders_the_second_waits_and_finds_what_the_first_built(cache: Path) -> None:
    with stopped_in_its_midst(cache) as (first, pid):
        second = Building(cache, LAYERS)
        assert second.is_waiting.wait(SECONDS)
    assert Waiting(pid) in second.told
    assert (first.wait().status, second.wait().status) == ("built", "found")
    assert len(engines_in(cache)) == 1


@pytest.mark.usefixtures("rtx")
def test_who_waits_for_a_builder_that_is_killed_builds(cache: Path) -> None:
    with stopped_in_its_midst(cache) as (first, pid):
        second = Building(cache, LAYERS)
        assert second.is_waiting.wait(SECONDS)
        os.kill(pid, signal.SIGKILL)
    first.error()
    assert second.wait().status == "built"
    assert len(engines_in(cache)) == 1


def test_who_waits_too_long_is_told_for_whom(
    installation: FakeInstallation, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def let_time_pass(message: Waiting | Working) -> None:
        now[0] += 100.0

    monkeypatch.setattr(build_child, "time", SimpleNamespace(monotonic=lambda: now[0]))
    told = rf"another process \({os.getpid()}\) still builds, after 60 s"
    with build_lock(cache, lambda _: None), pytest.raises(BackendError, match=told) as caught:
        told_build(cache, None, let_time_pass, limit=60)
    assert "--time-limit" in str(caught.value.hint)


PARENT = """
import sys
from pathlib import Path
import msgspec
from edge_sdk.inference.tensorrt import build_child
from edge_sdk.inference.tensorrt.build_child import make_engine
from edge_sdk.inference.tensorrt.build_lock import build_lock
from edge_sdk.inference.tensorrt.build_messages import Job
model = Path(sys.argv[1]).read_bytes()
job = msgspec.json.decode(sys.argv[2], type=Job)
make_engine(job, model, time_limit_s=100, on_progress=lambda message: print("builds", flush=True))
"""


@pytest.mark.usefixtures("rtx")
def test_a_builder_ends_with_whoever_wanted_it(cache: Path, tmp_path: Path) -> None:
    """Even where that was killed by kill -9, and cannot say so."""
    model = tmp_path / "deep.onnx"
    model.write_bytes(deep_onnx(LAYERS))
    job = Job(
        name="deep",
        target="8.6",
        cache=str(cache),
        workspace_mb=512,
        check_memory=True,
        model_bytes=model.stat().st_size,
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(model), msgspec.json.encode(job).decode()],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"builds\n"
    (pid,) = builders()
    builder = psutil.Process(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone, _ = psutil.wait_procs([builder], timeout=30)
    assert gone == [builder]
    assert list(cache.glob("*.engine")) == []  # it did not go on to its end
    assert finished(build(cache, target="8.6")).status == "built"


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
