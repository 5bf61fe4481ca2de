"""A mark is of the bytes that ran, whatever another builder puts into their place meanwhile."""

from __future__ import annotations

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
from edge_sdk.inference.tensorrt.trial_mark import is_tried


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


def test_a_mark_of_what_ran_is_none_of_what_has_its_place_now(device: Device) -> None:
    ran = read_seal(device.path)
    device.replace()
    device.engines.mark_tried(device.wanted, device.gpu, seal=ran)
    with pytest.raises(BackendError, match="has not run yet"):
        device.engines.read_tried(device.wanted, device.job.name, device.gpu)
