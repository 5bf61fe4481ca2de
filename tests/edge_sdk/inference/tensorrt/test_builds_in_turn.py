"""Of two builds with one cache the second waits, and none is left half."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from engine_builds import DEEP, SECONDS, Told, build, builders, engines_in, finished, told_build
from fake_installation import FakeInstallation
from gpu_onnx import deep_onnx

from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt import build_child
from edge_sdk.inference.tensorrt.build_child import Outcome
from edge_sdk.inference.tensorrt.build_lock import build_lock
from edge_sdk.inference.tensorrt.build_messages import Finished, Waiting, Working
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
from edge_sdk.inference.tensorrt.sealed_file import read_sealed


class Building:
    """A build in a thread.

    Args:
        cache: Where the engine comes.
        model: Content of the ``.onnx`` file; None is the small one.
        target: What it is for; by default what is here.
    """

    def __init__(self, cache: Path, model: bytes | None = None, target: str = "this") -> None:
        self.told: Told = []
        self.outcome: Outcome | BaseException | None = None
        self.is_building = threading.Event()
        self.is_waiting = threading.Event()
        self._model = model
        self._target = target
        self._cache = cache
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.outcome = told_build(self._cache, self._model, self._tell, target=self._target)
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


@contextlib.contextmanager
def held_in_its_midst(
    installation: FakeInstallation, cache: Path, tmp_path: Path
) -> Iterator[tuple[Building, int]]:
    """A build, and the process that does it, which gets no further until the block ends."""
    go_on = tmp_path / "go on"
    installation.install("10.3", behaviour=f"wait:{go_on}")
    building = Building(cache)
    try:
        yield building, holder_of(cache)
    finally:
        go_on.touch()


def holder_of(cache: Path) -> int:
    """The builder that holds the folder, once it does."""
    lock, deadline = cache / "build.lock", time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for pid in builders():
            if lock.is_file() and lock.read_text() == str(pid):
                return pid
        time.sleep(0.02)
    raise AssertionError(f"no builder holds {lock}")


@pytest.mark.usefixtures("rtx")
def test_kill_9_in_the_midst_of_a_build_leaves_nothing_and_the_next_one_builds(cache: Path) -> None:
    building = Building(cache, deep_onnx(DEEP), target="8.6")
    assert building.is_building.wait(SECONDS)
    (pid,) = builders()
    assert int((cache / "build.lock").read_text()) == pid
    os.kill(pid, signal.SIGKILL)
    assert "was killed" in building.error().message
    assert engines_in(cache) == []
    (cache / "half.partial").write_bytes(b"as it is left where the kill meets the writing")
    built = finished(build(cache, target="8.6"))
    assert engines_in(cache) == [Path(built.path)]


def test_of_two_builders_the_second_waits_and_finds_what_the_first_built(
    installation: FakeInstallation, cache: Path, tmp_path: Path
) -> None:
    with held_in_its_midst(installation, cache, tmp_path) as (first, pid):
        second = Building(cache)
        assert second.is_waiting.wait(SECONDS)
    assert Waiting(pid) in second.told
    assert (first.wait().status, second.wait().status) == ("built", "found")
    assert len(engines_in(cache)) == 1


def test_who_waits_for_a_builder_that_is_killed_builds(
    installation: FakeInstallation, cache: Path, tmp_path: Path
) -> None:
    with held_in_its_midst(installation, cache, tmp_path) as (first, pid):
        second = Building(cache)
        assert second.is_waiting.wait(SECONDS)
        os.kill(pid, signal.SIGKILL)
    first.error()
    assert second.wait().status == "built"
    assert len(engines_in(cache)) == 1


def test_who_waits_for_a_builder_that_gives_kernels_less_memory_builds(
    installation: FakeInstallation, cache: Path
) -> None:
    path = Path(finished(build(cache, workspace_mb=64)).path)
    record, plan = read_sealed(path, EngineRecord)
    with contextlib.ExitStack() as holding:
        holding.enter_context(build_lock(cache, lambda _: None))

        def write_another(message: Waiting | Working) -> None:
            if isinstance(message, Waiting):
                EngineCache(cache).write(msgspec.structs.replace(record, workspace_mb=96), plan)
                holding.close()

        built = finished(told_build(cache, None, write_another, workspace_mb=128, least_workspace_mb=128))
    assert (built.status, built.tried) == ("built", True)
    assert read_sealed(path, EngineRecord)[0].workspace_mb == 128


def test_who_waits_for_a_builder_that_removes_the_damaged_engine_builds(
    installation: FakeInstallation, cache: Path
) -> None:
    """As one that builds for another version of the same bundle does: of its name, one engine stays."""
    path = Path(finished(build(cache)).path)
    path.write_bytes(path.read_bytes()[:-1])
    with contextlib.ExitStack() as holding:
        holding.enter_context(build_lock(cache, lambda _: None))

        def make_way(message: Waiting | Working) -> None:
            if isinstance(message, Waiting):
                path.unlink(missing_ok=True)
                holding.close()

        built = finished(told_build(cache, None, make_way))
    assert (built.status, built.tried) == ("built", True)
    assert engines_in(cache) == [path]


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


def test_a_file_system_without_locks_is_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    told = pytest.raises(BackendError, match=f"cannot lock {cache}: No locks available")
    with told as caught, build_lock(cache, lambda _: None):
        pass
    assert "--cache" in str(caught.value.hint)
