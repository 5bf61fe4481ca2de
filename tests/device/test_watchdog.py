"""systemd hears when the device is ready, inspects and ends, and nothing while nothing is inspected."""

from __future__ import annotations

import logging
import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from device_run import NOWHERE, StartDevice, offline, written
from fake_systemd import Systemd
from tiny_bundle import LABELS, RATE, audio_input, tiny_bundle, tone, tone_rule

from device.config import load_config
from device.pipeline import Pipeline
from device.watchdog import ServiceManager, Watchdog, WatchdogConfig
from edge_sdk.contract.manifest import ClassesOutput
from edge_sdk.contract.values import Array, AudioBlock, Gap
from edge_sdk.errors import BackendError, ConfigError
from edge_sdk.inference.backend import Backend
from edge_sdk.inference.open import open_backend
from edge_sdk.inference.scorer import AudioScorer

if TYPE_CHECKING:
    from typing_extensions import Self


@pytest.fixture
def systemd() -> Iterator[Systemd]:
    with tempfile.TemporaryDirectory(prefix="sd") as folder:  # paths of sockets must be short
        manager = Systemd(f"{folder}/notify")
        yield manager
        manager.close()


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def watchdog(
    systemd: Systemd, clock: Clock, *, unit_s: float | None = 8.0, config: WatchdogConfig | None = None
) -> Watchdog:
    manager = ServiceManager.from_environment(systemd.environment(unit_s))
    return Watchdog(manager, config or WatchdogConfig(), window_s=0.5, clock=clock)


# --- what is said when ---


def test_it_says_when_it_is_ready_and_when_it_ends(systemd: Systemd) -> None:
    dog = watchdog(systemd, Clock())
    dog.status("loading tones 0.1.0")
    dog.ready(lambda: "listens\nto a file")
    dog.stopping("SIGTERM")
    assert systemd.heard() == {"STATUS": "loading tones 0.1.0"}
    assert systemd.heard() == {"READY": "1", "STATUS": "listens to a file"}
    assert systemd.heard() == {"STOPPING": "1", "STATUS": "ending: SIGTERM"}


def test_signs_of_life_come_four_times_as_often_as_they_must_and_no_oftener(systemd: Systemd) -> None:
    clock = Clock()
    dog = watchdog(systemd, clock, unit_s=8.0)
    dog.ready(lambda: "listens")
    systemd.heard()
    for tenth in range(1, 81):
        clock.now = 100.0 + tenth / 10
        dog.inspected()
    assert [systemd.heard() for _ in range(4)] == [{"WATCHDOG": "1", "STATUS": "listens"}] * 4
    assert systemd.nothing_more()


def test_time_alone_is_no_sign_of_life(systemd: Systemd) -> None:
    clock = Clock()
    watchdog(systemd, clock).ready(lambda: "listens")
    systemd.heard()
    clock.now += 1_000
    assert systemd.nothing_more()


@pytest.mark.parametrize(
    ("unit_s", "config", "told"),
    [
        (60.0, WatchdogConfig(), None),
        (60.0, WatchdogConfig(timeout_s=900), "900000000"),
        (None, WatchdogConfig(timeout_s=900), "900000000"),
        (None, WatchdogConfig(), None),
    ],
)
def test_the_configuration_may_give_more_time_than_the_unit(
    systemd: Systemd, unit_s: float | None, config: WatchdogConfig, told: str | None
) -> None:
    watchdog(systemd, Clock(), unit_s=unit_s, config=config).ready(lambda: "listens")
    assert systemd.heard().get("WATCHDOG_USEC") == told


def test_a_watchdog_that_no_window_could_satisfy_is_given_more_time_and_that_is_told(
    systemd: Systemd, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        watchdog(systemd, Clock(), unit_s=0.9).ready(lambda: "listens")
    assert systemd.heard()["WATCHDOG_USEC"] == "2000000"
    assert "a watchdog of 0.9 s is shorter than two windows of 0.5 s: it is set to 2 s" in caplog.text


def test_nothing_is_said_where_the_configuration_wants_it_so(systemd: Systemd) -> None:
    clock = Clock()
    dog = watchdog(systemd, clock, config=WatchdogConfig(notify=False))
    dog.status("loading")
    dog.ready(lambda: "listens")
    clock.now += 60
    dog.inspected()
    dog.stopping("SIGTERM")
    assert systemd.nothing_more()


# --- who is told ---


def test_without_systemd_nobody_is_told() -> None:
    assert ServiceManager.from_environment({}) is None
    assert ServiceManager.from_environment({"NOTIFY_SOCKET": "relative"}) is None
    dog = Watchdog(None, WatchdogConfig(timeout_s=60), window_s=0.5)
    dog.ready(lambda: "listens")
    dog.inspected()
    dog.stopping("SIGTERM")


def test_a_socket_in_the_abstract_namespace_is_reached() -> None:
    systemd = Systemd(f"@edge-sdk-{os.getpid()}")
    manager = ServiceManager.from_environment(systemd.environment())
    assert manager is not None
    manager.tell(READY=1)
    assert systemd.heard() == {"READY": "1"}
    systemd.close()


@pytest.mark.parametrize(
    ("variables", "timeout_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),  # meant for another process
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_timeout_is_the_one_meant_for_this_process(
    systemd: Systemd, variables: dict[str, str], timeout_s: float | None
) -> None:
    manager = ServiceManager.from_environment({**systemd.environment(), **variables})
    assert manager is not None
    assert manager.timeout_s == timeout_s


def test_a_manager_that_is_gone_is_told_of_once_and_stops_nothing(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    manager = ServiceManager(str(tmp_path / "nobody"), None)
    with caplog.at_level(logging.WARNING):
        manager.tell(READY=1)
        manager.tell(WATCHDOG=1)
    assert caplog.text.count("systemd cannot be told") == 1


# --- what inspecting is ---


class DeadBackend:
    """Has loaded a model, and fails at every run."""

    def __init__(self, backend: Backend) -> None:
        self.inputs, self.outputs = backend.inputs, backend.outputs

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        raise BackendError("the GPU fell off the bus")

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def pipeline(backend: Backend, on_scores: Callable[[object], None]) -> Pipeline:
    scorer = AudioScorer(audio_input(), ClassesOutput(), LABELS, backend)
    return Pipeline(scorer, {"low": tone_rule()}, on_scores=on_scores, max_faults_in_a_row=1_000)


def test_windows_that_fail_and_gaps_are_no_inspection(systemd: Systemd) -> None:
    clock = Clock()
    dog = watchdog(systemd, clock)
    dog.ready(lambda: "listens")
    systemd.heard()
    clock.now += 60
    model = tiny_bundle(("tflite-float32",)).members["models/tflite-float32.tflite"]
    with open_backend(model, "tflite") as backend:
        dead = pipeline(DeadBackend(backend), dog.inspected)
        list(dead.push(AudioBlock(tone(300, 3), RATE)))
        well = pipeline(backend, dog.inspected)
        list(well.push(Gap(RATE, RATE, "overrun")))
        assert systemd.nothing_more()
        list(well.push(AudioBlock(np.zeros(RATE, dtype=np.float32), RATE)))  # silence is inspected as well
    assert systemd.heard()["WATCHDOG"] == "1"


# --- a device as systemd runs it ---


def test_a_device_says_all_of_it_to_who_has_started_it(
    run_device_process: StartDevice, tones_bundle: Path, tmp_path: Path, systemd: Systemd
) -> None:
    endless = written(tmp_path / "endless.wav", tone(300, 120), "PCM_16")
    words = offline(f"{endless}?pace=realtime", tmp_path)
    device = run_device_process(tones_bundle, *words, environment=systemd.environment(timeout_s=1.2))
    *before, ready = systemd.until("READY")
    assert [said["STATUS"] for said in before] == ["loading tones 0.1.0"]
    assert "tflite-float32 on tflite listens to endless.wav" in ready["STATUS"]
    for _ in range(2):
        alive = systemd.heard()
        assert alive["WATCHDOG"] == "1"
        assert re.search(r"inspected \d+\.\d of \d+\.\d s$", alive["STATUS"])
    device.process.send_signal(signal.SIGTERM)
    assert systemd.until("STOPPING")[-1]["STATUS"] == "ending: SIGTERM"
    assert device.finished().code == 0


def test_a_device_that_cannot_start_is_never_ready(
    run_device_process: StartDevice, tones_bundle: Path, tmp_path: Path, systemd: Systemd
) -> None:
    (tmp_path / "file").touch()
    words = ["--source", tmp_path / "missing.wav", "--broker", NOWHERE]
    done = run_device_process(tones_bundle, *words, environment=systemd.environment()).finished()
    assert done.code == 2
    assert systemd.nothing_more()


def test_the_configuration_is_checked(tmp_path: Path) -> None:
    config = tmp_path / "box.toml"
    head = 'bundle = "x.edge"\nsource = "y.wav"\n[broker]\nurl = "mqtt://localhost"\n[watchdog]\n'
    config.write_text(head + "timeout_s = 120\n", encoding="utf-8")
    assert load_config(config).watchdog == WatchdogConfig(timeout_s=120.0)
    config.write_text(head + "timeout_s = 0\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="timeout_s must be more than 0"):
        load_config(config)
