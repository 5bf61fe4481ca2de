"""A device at work: threads for capture and inference, and an orderly end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from edge_sdk.console.stop_signals import StopSignals
from edge_sdk.contract.values import End, Event
from edge_sdk.errors import EdgeSdkError, SourceError

from .coverage import Covered
from .listener import Keeper, Listener
from .pipeline import Pipeline
from .ring import AudioRing
from .sources.source import Source
from .stamper import Stamper

__all__ = ["Heard", "Runtime", "Sender"]

_logger = logging.getLogger(__name__)

_RING_WINDOWS = 4
_MIN_RING_S = 10.0


class Sender(Protocol):
    """Sends what the outbox keeps: the publisher."""

    def start(self) -> None:
        """Begin to connect and to send. Returns at once."""

    def stop(self, drain_s: float) -> None:
        """Send what waits, for so long at most, and say goodbye."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of listening.

    Attributes:
        ended: Why it is over.
        events: How many began, by label id.
        covered: What was inspected, in samples at the model's rate.
        overruns: How often inference fell behind live sound, which was then skipped.
        skipped_s: How much sound that was, in seconds.
        error: What ended it, where it failed.
    """

    ended: Literal["source_ended", "stopped", "failed"]
    events: dict[str, int]
    covered: Covered
    overruns: int
    skipped_s: float
    error: BaseException | None = None


class Runtime:
    """Listens to one source until it ends or until SIGTERM, SIGINT or :meth:`stop`.

    A source that is pulled is read by the inference thread and loses nothing. A live one has a
    thread of its own and a ring between; where inference falls behind, the oldest sound is skipped.

    Args:
        source: Closed at the end.
        pipeline: Decides; the caller's to close.
        outbox: Keeps the messages; the caller's to close.
        stamper: Gives id and time.
        sender: Started and stopped here, where one is given.
        on_event: Told each event with the wall time of its start, on the inference thread.
        on_ending: Told why it ends, before what is open is closed.
        drain_s: How long to wait at the end for what is not yet delivered.
        window_s: Length of the model's window: a live source's ring holds some of them.
    """

    def __init__(  # noqa: PLR0913 - most have a default that suits, and are named where they do not
        self,
        source: Source,
        pipeline: Pipeline,
        outbox: Keeper,
        stamper: Stamper,
        *,
        sender: Sender | None = None,
        on_event: Callable[[Event, datetime], None] = lambda _event, _started_at: None,
        on_ending: Callable[[str], None] = lambda _: None,
        drain_s: float = 10.0,
        window_s: float = 1.0,
    ) -> None:
        self._source = source
        self._pipeline = pipeline
        self._sender = sender
        self._on_ending = on_ending
        self._drain_s = drain_s
        self._listener = Listener(source, pipeline, stamper, outbox, on_event)
        self._ring = AudioRing(max(_MIN_RING_S, _RING_WINDOWS * window_s)) if source.live else None
        self._stopping = threading.Event()
        self._signals = StopSignals()
        self._ended: Literal["source_ended", "stopped", "failed"] = "failed"
        self._error: BaseException | None = None  # of listening
        self._fault: EdgeSdkError | None = None  # of another part

    def run(self) -> Heard:
        """Listen until it is over. Once only.

        Returns:
            What came of it; a failure is in there, was logged, and is never raised, so that what was
            heard before it is told too.
        """
        threads = [threading.Thread(target=self._infer, name="inference", daemon=True)]
        if self._ring is not None:
            capture = threading.Thread(target=self._capture, args=(self._ring,), name="capture", daemon=True)
            threads.append(capture)
        with self._signals:
            if self._sender is not None:
                self._sender.start()
            for thread in threads:
                thread.start()
            why = self._signals.wait()
            _logger.info("ending: %s", why)
            self._on_ending(why)
            self._stopping.set()
            self._source.close()
            for thread in threads:
                thread.join()
            if self._sender is not None:
                self._sender.stop(self._drain_s)
        return self._heard()

    def stop(self) -> None:
        """Ask for a clean end; from any thread, returns at once."""
        self._signals.wake("stopped by the program")

    def fail(self, error: EdgeSdkError) -> None:
        """Ask for an end because a part that the device needs has failed; from any thread."""
        self._fault = error
        self._signals.wake("a part of the device failed")

    def _heard(self) -> Heard:
        covered = self._pipeline.covered
        if self._fault is not None:
            self._error, self._ended = self._error or self._fault, "failed"
        if self._error is None and self._ended == "source_ended" and not covered.inspected:
            seconds = covered.elapsed / self._pipeline.sample_rate_hz
            self._ended = "failed"
            self._error = SourceError(
                f"nothing of {self._source.name} could be inspected: it holds {seconds:.3f} s of sound",
                hint="a recording must be at least as long as the model's window",
            )
        return Heard(
            ended=self._ended,
            events=dict(self._listener.heard),
            covered=covered,
            overruns=self._ring.overruns if self._ring else 0,
            skipped_s=self._ring.skipped_s if self._ring else 0.0,
            error=self._error,
        )

    def _infer(self) -> None:
        try:
            items = self._source.items() if self._ring is None else self._ring.items()
            self._ended = self._listener.listen(items, self._stopping)
        except EdgeSdkError as error:
            self._error = error
        except Exception as error:  # the thread's outer edge: a defect must end the process loudly
            _logger.exception("the inference thread failed")
            self._error = error
        finally:
            if self._ring is not None:
                self._ring.close()
            self._signals.wake("the source has ended" if self._error is None else "listening failed")

    def _capture(self, ring: AudioRing) -> None:
        try:
            for item in self._source.items():
                ring.put(item)
            ring.put(End("stopped"))  # a source that was closed gives none; a second one is not read
        except EdgeSdkError as error:
            ring.fail(error)
        except Exception as error:  # the thread's outer edge: handed on to the inference thread
            _logger.exception("the capture thread failed")
            ring.fail(error)
