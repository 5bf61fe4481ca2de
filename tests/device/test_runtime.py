from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from tiny_bundle import RATE, WINDOW, tiny_bundle, tone

from device.listener import COVERAGE_EVERY_S
from device.pipeline import Pipeline
from device.runtime import Heard, Runtime
from device.stamper import Stamper
from edge_sdk.contract.messages import Alert, Coverage, ModelReference
from edge_sdk.contract.topics import Topics
from edge_sdk.contract.values import AudioBlock, ClockSource, End, Float32Array, Gap, SourceItem, WindowScores
from edge_sdk.errors import BackendError, MessagingError, OutboxError, SourceError

MIDNIGHT = datetime(2019, 5, 22, tzinfo=timezone.utc)
EPOCH = "0123456789abcdef"
SILENCE = np.zeros(RATE, np.float32)
TONE = tone(300, 1.0)


class FakeSource:
    """Delivers what it is given; a live one is read on a thread of its own."""

    name = "tape"
    clock_source: ClockSource = "file_name"

    def __init__(self, deliver: Callable[[], Iterator[SourceItem]], *, live: bool = False) -> None:
        self._deliver = deliver
        self.live = live
        self.started_at: datetime | None = MIDNIGHT
        self.closed = threading.Event()

    def items(self) -> Iterator[SourceItem]:
        return self._deliver()

    def close(self) -> None:
        self.closed.set()


class Kept:
    """On disk at once."""

    def wait(self, timeout_s: float | None = None) -> None:
        """Nothing to wait for."""


class FakeOutbox:
    """Keeps messages in a list."""

    def __init__(self) -> None:
        self.messages: list[Alert | Coverage] = []

    def put(self, build: Callable[[str, int], Alert | Coverage], /) -> Kept:
        self.messages.append(build(EPOCH, len(self.messages) + 1))
        return Kept()

    @property
    def alerts(self) -> list[Alert]:
        return [message for message in self.messages if isinstance(message, Alert)]

    @property
    def coverage(self) -> list[Coverage]:
        return [message for message in self.messages if isinstance(message, Coverage)]


class FakeSender:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def start(self) -> None:
        self.calls.append("start")

    def stop(self, drain_s: float) -> None:
        self.calls.append(drain_s)


def block(samples: Float32Array, rate_hz: int = RATE) -> AudioBlock:
    return AudioBlock(samples, rate_hz)


def source_of(*items: SourceItem, live: bool = False) -> FakeSource:
    return FakeSource(lambda: iter(items), live=live)


def runtime(source: FakeSource, outbox: FakeOutbox, sender: FakeSender | None = None) -> Runtime:
    pipeline = Pipeline.open(tiny_bundle(("tflite-float32",)).bundle())
    model = ModelReference(name="tones", version="0.1.0", variant="tflite-float32", sha256="0" * 64)
    stamper = Stamper(Topics("s", "d"), source=source.name, rate_hz=RATE, model=model)
    return Runtime(source, pipeline, outbox, stamper, sender=sender, drain_s=3.0)


def heard_from(source: FakeSource) -> tuple[Heard, FakeOutbox]:
    outbox = FakeOutbox()
    return runtime(source, outbox).run(), outbox


@pytest.mark.parametrize("live", [False, True])
def test_a_sound_becomes_one_event_with_its_wall_time(live: bool) -> None:  # noqa: FBT001
    heard, outbox = heard_from(source_of(block(SILENCE), block(TONE), block(SILENCE), End(), live=live))
    assert heard.ended == "source_ended"
    assert heard.error is None
    assert heard.events == {"low": 1}
    assert [alert.type for alert in outbox.alerts] == ["new", "end"]
    assert len({alert.event_id for alert in outbox.alerts}) == 1
    began = datetime.fromisoformat(outbox.alerts[0].started_at.replace("Z", "+00:00"))
    assert abs(began - MIDNIGHT - timedelta(seconds=1)) < timedelta(seconds=WINDOW / RATE)


def test_what_was_inspected_is_told_last() -> None:
    heard, outbox = heard_from(source_of(block(SILENCE), block(TONE), End()))
    assert outbox.messages[-1] == outbox.coverage[0]
    (part,) = outbox.coverage[0].sources
    assert (part.source, part.inspected_s, part.elapsed_s, part.faults) == ("tape", 2.0, 2.0, {})
    assert heard.covered.inspected == 2 * RATE


def test_coverage_is_told_every_ten_minutes_of_sound_and_knows_gaps() -> None:
    resumed = MIDNIGHT + timedelta(seconds=COVERAGE_EVERY_S + 1)
    gap = Gap(int(COVERAGE_EVERY_S) * RATE, RATE, "not_contiguous", resumed)
    _, outbox = heard_from(source_of(block(SILENCE), gap, block(SILENCE), End()))
    parts = [message.sources[0] for message in outbox.coverage]
    assert [(part.inspected_s, part.elapsed_s) for part in parts] == [(1.0, COVERAGE_EVERY_S + 1), (1.0, 1.0)]
    assert parts[0].faults == {"not_contiguous": 1}
    assert outbox.coverage[1].ended_at == "2019-05-22T00:10:02.000Z"


def test_an_event_that_is_open_when_the_recording_ends_is_ended() -> None:
    _, outbox = heard_from(source_of(block(SILENCE), block(TONE), End()))
    assert outbox.alerts[-1].end_reason == "source_ended"


@pytest.mark.parametrize("live", [False, True])
def test_stop_ends_what_is_open_and_lets_the_source_go(live: bool) -> None:  # noqa: FBT001
    outbox, sender = FakeOutbox(), FakeSender()

    def deliver() -> Iterator[SourceItem]:
        yield block(TONE)
        device.stop()
        source.closed.wait(120)
        if not live:
            yield block(SILENCE)

    source = FakeSource(deliver, live=live)
    device = runtime(source, outbox, sender)
    heard = device.run()
    assert heard.ended == "stopped"
    assert heard.error is None
    assert sender.calls == ["start", 3.0]
    if not live:  # a live one may be stopped before its tone was taken from the ring
        assert [alert.end_reason for alert in outbox.alerts] == [None, "stopped"]
    assert not {alert.event_id for alert in outbox.alerts if alert.type == "new"} - {
        alert.event_id for alert in outbox.alerts if alert.type == "end"
    }


@pytest.mark.parametrize("live", [False, True])
def test_a_source_that_fails_is_no_silence(live: bool) -> None:  # noqa: FBT001
    def deliver() -> Iterator[SourceItem]:
        yield block(SILENCE)
        yield block(TONE)
        raise SourceError("the card was pulled")

    heard, outbox = heard_from(FakeSource(deliver, live=live))
    assert heard.ended == "failed"
    assert isinstance(heard.error, SourceError)
    assert outbox.alerts[-1].end_reason == "source_lost"
    assert outbox.coverage[-1].sources[0].faults == {"source_failed": 1}


def test_a_source_that_fails_at_once_is_told_too() -> None:
    def deliver() -> Iterator[SourceItem]:
        raise SourceError("there is no card")
        yield End()

    heard, outbox = heard_from(FakeSource(deliver))
    assert heard.ended == "failed"
    assert outbox.coverage[-1].sources[0].inspected_s == 0


def test_another_part_that_fails_ends_the_run() -> None:
    outbox = FakeOutbox()

    def deliver() -> Iterator[SourceItem]:
        yield block(TONE)
        device.fail(MessagingError("the publisher has ended"))
        source.closed.wait(120)
        yield block(SILENCE)

    source = FakeSource(deliver)
    device = runtime(source, outbox)
    heard = device.run()
    assert heard.ended == "failed"
    assert isinstance(heard.error, MessagingError)
    assert outbox.alerts[-1].end_reason == "stopped"


def test_what_cannot_be_written_to_disk_is_no_success() -> None:
    class FullDisk(Kept):
        def wait(self, timeout_s: float | None = None) -> None:
            raise OutboxError("the disk is full")

    class FailingOutbox(FakeOutbox):
        def put(self, build: Callable[[str, int], Alert | Coverage], /) -> Kept:
            super().put(build)
            return FullDisk()

    heard = runtime(source_of(block(SILENCE), End()), FailingOutbox()).run()
    assert heard.ended == "failed"
    assert isinstance(heard.error, OutboxError)


@pytest.mark.parametrize("live", [False, True])
def test_a_defect_in_a_thread_ends_the_run_loudly(
    live: bool,  # noqa: FBT001
    caplog: pytest.LogCaptureFixture,
) -> None:
    def deliver() -> Iterator[SourceItem]:
        yield block(SILENCE)
        raise ZeroDivisionError

    heard, _ = heard_from(FakeSource(deliver, live=live))
    assert heard.ended == "failed"
    assert isinstance(heard.error, ZeroDivisionError)
    assert "thread failed" in caplog.text


def test_inference_that_fails_for_good_ends_the_run_and_is_no_silence() -> None:
    outbox = FakeOutbox()

    def deliver() -> Iterator[SourceItem]:
        yield block(TONE)
        pipeline.backend.close()  # type: ignore[union-attr]  # the bundle has a backend
        for _ in range(60):
            yield block(SILENCE)

    source = FakeSource(deliver)
    device = runtime(source, outbox)
    pipeline = device._pipeline
    heard = device.run()
    assert isinstance(heard.error, BackendError)
    assert heard.covered.faults["inference"] >= 20
    assert [alert.end_reason for alert in outbox.alerts if alert.type == "end"] == ["source_lost"]


def test_a_recording_shorter_than_the_window_is_an_error_not_a_silence() -> None:
    heard, outbox = heard_from(source_of(block(np.zeros(1, np.float32)), End()))
    assert heard.ended == "failed"
    assert "could be inspected" in str(heard.error)
    assert outbox.coverage[-1].sources[0].inspected_s == 0


def test_exactly_one_window_is_enough() -> None:
    heard, _ = heard_from(source_of(block(np.zeros(WINDOW, np.float32)), End()))
    assert heard.ended == "source_ended"
    assert heard.covered.inspected == WINDOW


def test_live_sound_that_inference_cannot_follow_is_skipped_and_counted() -> None:
    """The first window waits until the capture thread has delivered far more than the ring holds."""
    delivered = threading.Event()

    def deliver() -> Iterator[SourceItem]:
        for _ in range(40):
            yield block(SILENCE)
        delivered.set()
        yield End()

    source = FakeSource(deliver, live=True)
    device = runtime(source, FakeOutbox())

    def wait_for_delivery(_: WindowScores) -> None:
        delivered.wait(120)

    device._pipeline._on_scores = wait_for_delivery
    heard = device.run()
    assert heard.overruns >= 1
    assert heard.skipped_s > 0.0
    assert heard.covered.elapsed == 40 * RATE
    assert heard.covered.inspected < 40 * RATE
    assert heard.covered.faults["overrun"] >= 1


SIGNALLED = """
import threading
from edge_sdk.console.stop_signals import StopSignals
with StopSignals() as signals:
    print("ready", flush=True)
    print(signals.wait(), flush=True)
    threading.Event().wait()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_and_the_second_ends(number: signal.Signals) -> None:
    command = [sys.executable, "-c", SIGNALLED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, number)
        assert process.stdout.readline() == f"{number.name}\n"
        os.kill(process.pid, number)
        assert process.wait(120) != 0
