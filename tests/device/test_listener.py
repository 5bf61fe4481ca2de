"""Whatever ends listening, open events are ended and coverage is told, as long as the outbox works."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import numpy as np
import pytest
from tiny_bundle import RATE, tiny_bundle, tone

from device.listener import Kept, Listener
from device.pipeline import Pipeline
from device.sources import Source
from device.stamper import Stamper
from edge_sdk.contract.messages import Alert, Coverage, ModelReference
from edge_sdk.contract.topics import Topics
from edge_sdk.contract.values import AudioBlock, ClockSource, SourceItem
from edge_sdk.errors import BackendError, OutboxError, SourceError

TONE = AudioBlock(tone(300, 1.0), RATE)
SILENCE = AudioBlock(np.zeros(RATE, np.float32), RATE)


class Tape:
    """A source that names itself; its items are given apart."""

    name = "tape"
    live = False
    clock_source: ClockSource = "file_name"
    started_at = datetime(2019, 5, 22, tzinfo=timezone.utc)

    def items(self) -> Iterator[SourceItem]:
        return iter(())

    def close(self) -> None:
        """Nothing is open."""


class OnDisk:
    """On disk at once."""

    def wait(self, timeout_s: float | None = None) -> None:
        """Nothing to wait for."""


class Notebook:
    """An outbox in memory, which takes so many messages and no more."""

    def __init__(self, takes: int = 100) -> None:
        self.messages: list[Alert | Coverage] = []
        self._takes = takes

    def put(self, build: Callable[[str, int], Alert | Coverage], /) -> Kept:
        if len(self.messages) == self._takes:
            raise OutboxError("the disk is gone")
        self.messages.append(build("0123456789abcdef", len(self.messages) + 1))
        return OnDisk()

    @property
    def ends(self) -> list[str | None]:
        return [m.end_reason for m in self.messages if isinstance(m, Alert) and m.type == "end"]

    @property
    def coverage(self) -> list[Coverage]:
        return [message for message in self.messages if isinstance(message, Coverage)]


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.open(tiny_bundle(("tflite-float32",)).bundle()) as opened:
        yield opened


def listen(pipeline: Pipeline, outbox: Notebook, items: Iterator[SourceItem]) -> None:
    tape: Source = Tape()
    model = ModelReference(name="tones", version="0.1.0", variant="tflite-float32", sha256="0" * 64)
    stamper = Stamper(Topics("s", "d"), source=tape.name, rate_hz=RATE, model=model)
    Listener(tape, pipeline, stamper, outbox, lambda _event, _at: None).listen(items, threading.Event())


def test_inference_that_fails_for_good_is_told_as_coverage(pipeline: Pipeline) -> None:
    outbox = Notebook()

    def items() -> Iterator[SourceItem]:
        yield TONE
        pipeline.close()
        for _ in range(10):
            yield SILENCE

    with pytest.raises(BackendError, match="in a row"):
        listen(pipeline, outbox, items())
    assert outbox.ends == ["source_lost"]
    (part,) = outbox.coverage[-1].sources
    assert part.faults == {"inference": 20}
    assert part.inspected_s < part.elapsed_s


def test_a_defect_ends_what_is_open_and_is_told_as_coverage(pipeline: Pipeline) -> None:
    outbox = Notebook()

    def items() -> Iterator[SourceItem]:
        yield TONE
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        listen(pipeline, outbox, items())
    assert outbox.ends == ["source_lost"]
    assert outbox.coverage[-1].sources[0].faults == {"defect": 1}
    assert outbox.messages[-1] == outbox.coverage[-1]


def test_a_defect_before_the_first_block_is_told_too(pipeline: Pipeline) -> None:
    outbox = Notebook()

    def items() -> Iterator[SourceItem]:
        raise ZeroDivisionError
        yield TONE

    with pytest.raises(ZeroDivisionError):
        listen(pipeline, outbox, items())
    assert outbox.coverage[-1].sources[0].faults == {"defect": 1}


def test_a_source_that_fails_is_one_fault_and_one_end(pipeline: Pipeline) -> None:
    outbox = Notebook()

    def items() -> Iterator[SourceItem]:
        yield TONE
        raise SourceError("the card was pulled")

    with pytest.raises(SourceError):
        listen(pipeline, outbox, items())
    assert outbox.ends == ["source_lost"]
    assert outbox.coverage[-1].sources[0].faults == {"source_failed": 1}


def test_an_outbox_that_takes_no_more_is_not_asked_again(pipeline: Pipeline) -> None:
    outbox = Notebook(takes=1)
    with pytest.raises(OutboxError, match="gone"):
        listen(pipeline, outbox, iter([TONE, SILENCE]))
    assert outbox.ends == []
