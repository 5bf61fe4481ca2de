"""A device as a process, sound for it to hear, and a monitor that stores what it sends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from device_run import DeviceProcess
from fake_gpu import FakeGpu
from fake_installation import FakeInstallation
from fake_tensorrt import fake_tensorrt
from tiny_bundle import RATE, tiny_bundle, tone
from tiny_pictures import color_bundle, thing_bundle
from verb_done import Done, Predict

from edge_sdk.demo.broker import EmbeddedBroker
from edge_sdk.inference import choice as choice_module
from edge_sdk.monitor.receiver import Monitor
from edge_sdk.monitor.store import Store
from edge_sdk.mqtt.settings import BrokerSettings


@pytest.fixture
def run_device_process() -> Iterator[Callable[..., DeviceProcess]]:
    started: list[DeviceProcess] = []

    def start(*words: object, **how: Any) -> DeviceProcess:
        started.append(DeviceProcess(*words, **how))
        return started[-1]

    yield start
    for device in started:
        device.process.kill()
        device.process.communicate()


@pytest.fixture(scope="session")
def tones_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle that hears tones, as a file."""
    return tiny_bundle(("tflite-float32",)).write(tmp_path_factory.mktemp("bundle") / "tones-0.1.0.edge")


@pytest.fixture(scope="session")
def two_tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """6.5 s with a low tone and a high one: two events."""
    parts = [
        tone(300, 1, level=0),
        tone(300, 2),
        tone(300, 1.5, level=0),
        tone(2_500, 1),
        tone(300, 1, level=0),
    ]
    path = tmp_path_factory.mktemp("sound") / "20260501_120000.wav"
    soundfile.write(path, np.concatenate(parts), RATE, subtype="PCM_16")
    return path


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """One for each test: a broker keeps for its monitor what came while that was away."""
    with EmbeddedBroker() as started:
        yield started


@pytest.fixture
def store(tmp_path: Path, broker: EmbeddedBroker) -> Iterator[Store]:
    """What a monitor at the broker has stored."""
    settings = BrokerSettings.from_url(broker.url, environment={})
    with (
        Store(tmp_path / "alerts.db") as opened,
        Monitor(settings, opened, receiver_id="monitor", on_event=lambda _: None),
    ):
        yield opened


@pytest.fixture
def fake_jetson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeInstallation:
    """TensorRT 10.3 on an Orin, whose memory is the computer's, for this process and those that it starts."""
    folder = tmp_path / "installed"
    folder.mkdir()
    made = FakeInstallation(folder)
    made.install("10.3")
    monkeypatch.setenv("PYTHONPATH", made.search_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt("10.3", FakeGpu()))  # it is looked for first
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: True)
    return made


@pytest.fixture
def colors(tmp_path: Path) -> Path:
    """A bundle that names the colour of a picture, as a file."""
    return color_bundle().write(tmp_path / "colors.edge")


@pytest.fixture
def things(tmp_path: Path) -> Path:
    """A bundle that finds coloured squares, as a file."""
    return thing_bundle().write(tmp_path / "things.edge")


@pytest.fixture
def predict(capsys: pytest.CaptureFixture[str]) -> Predict:
    """Runs ``edge-sdk predict``: its exit code, and its document."""

    def run(*arguments: Path | str) -> tuple[int, dict[str, Any]]:
        done = Done(capsys, "predict", *arguments)
        return done.code, done.document

    return run
