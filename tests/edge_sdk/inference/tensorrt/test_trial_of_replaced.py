"""A mark is of the bytes that ran, whatever another builder puts into their place meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from engine_builds import build, finished, small_job
from fake_installation import FakeInstallation
from gpu_onnx import scaled_onnx

from edge_sdk.errors import BackendError
from edge_sdk.inference.tensorrt.build_messages import Finished, Job, Message, Trying, Unfit
from edge_sdk.inference.tensorrt.build_target import BuildTarget, find_target
from edge_sdk.inference.tensorrt.engine_cache import EngineCache, EngineRecord
from edge_sdk.inference.tensorrt.fingerprint import Fingerprint
from edge_sdk.inference.tensorrt.sealed_file import read_seal, read_sealed
from edge_sdk.inference.tensorrt.trial import try_engine
from edge_sdk.inference.tensorrt.trial_mark import is_tried, remove_marks


class Device:
    """A Jetson with an engine that ran, which another builder replaces while it is tried again."""

    def __init__(self, cache: Path) -> None:
        self.built: Finished = finished(build(cache))
        self.path = Path(self.built.path)
        self.engines = EngineCache(cache)
        self.target: BuildTarget = find_target("this")
        self.job: Job = small_job(cache, scaled_onnx(), task="try")
        self.trials = 0
        assert self.target.cuda is not None
        self.gpu = self.target.cuda.gpu

    @property
    def wanted(self) -> Fingerprint:
        return self.built.fingerprint

    def replace(self, old: bytes = b"", new: bytes = b"") -> None:
        """As ``build --workspace-mb`` does; what it writes is of more memory each time."""
        record, plan = read_sealed(self.path, EngineRecord)
        larger = msgspec.structs.replace(record, workspace_mb=record.workspace_mb + 1)
        self.engines.write(larger, bytes(plan).replace(old, new))

    def try_it(self, at_each: Callable[[int], None]) -> Message:
        """Try it; before each one runs, its place is taken."""

        def tell(message: Message) -> None:
            if isinstance(message, Trying):
                self.trials += 1
                at_each(self.trials)

        return try_engine(self.job, self.target, self.engines, self.wanted, tell)

    def is_tried(self) -> bool:
        return is_tried(self.path, self.gpu)


@pytest.fixture
def device(install: Callable[..., None], installation: FakeInstallation, cache: Path) -> Device:
    install("10.3")
    return Device(cache)


def test_an_engine_that_came_during_the_trial_of_another_is_tried_itself(device: Device) -> None:
    answer = device.try_it(lambda trial: device.replace() if trial == 1 else None)
    assert isinstance(answer, Finished)
    assert answer.tried
    assert device.trials == 2
    assert device.is_tried()


def test_one_that_came_so_and_does_not_run_is_not_marked(device: Device) -> None:
    answer = device.try_it(lambda trial: device.replace(b"10.3.0", b"10.2.0") if trial == 1 else None)
    assert isinstance(answer, Unfit)
    assert "refuses the engine" in answer.message
    assert f"--cache {device.engines.folder}`" in str(answer.hint)
    assert not device.is_tried()


def test_one_that_is_replaced_again_and_again_is_not_marked(device: Device) -> None:
    with pytest.raises(BackendError, match="was replaced while it was tried") as caught:
        device.try_it(lambda _: device.replace())
    assert "nobody else writes there" in str(caught.value.hint)
    assert device.trials == 2
    assert not device.is_tried()


class AtFirstSync:
    """Something that happens between the writing of a file and its coming into its place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
        self._happens = happens
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self)
        self.happened = False

    def __call__(self, descriptor: int) -> None:
        self._sync(descriptor)
        if not self.happened:
            self.happened = True
            self._happens()


def test_a_builder_that_clears_away_what_was_left_over_takes_no_mark_along(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial takes no lock; a builder begins by removing what was left half-written."""
    remove_marks(device.path)
    clearing = AtFirstSync(monkeypatch, device.engines.remove_partial)
    assert isinstance(device.try_it(lambda _: None), Finished)
    assert clearing.happened
    assert device.is_tried()
    assert list(device.engines.folder.glob("*.partial")) == []


def test_a_mark_that_comes_into_the_place_of_a_newer_one_has_the_newer_engine_tried_again(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_marks(device.path)

    def replace_and_mark() -> None:
        device.replace()
        with monkeypatch.context() as another_process:
            another_process.setattr(os, "getpid", lambda: 1)
            device.engines.mark_tried(device.wanted, device.gpu, seal=read_seal(device.path))

    AtFirstSync(monkeypatch, replace_and_mark)
    assert isinstance(device.try_it(lambda _: None), Finished)
    assert device.trials == 2
    assert device.is_tried()


def test_a_mark_of_what_ran_is_none_of_what_has_its_place_now(device: Device) -> None:
    ran = read_seal(device.path)
    device.replace()
    device.engines.mark_tried(device.wanted, device.gpu, seal=ran)
    with pytest.raises(BackendError, match="has not run yet"):
        device.engines.read_tried(device.wanted, device.job.name, device.gpu)
