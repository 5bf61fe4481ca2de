"""From the network's thread to a subscriber's handlers, by way of one thread of its own."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, final

from ..contract.messages import Alert
from ..errors import BrokerError
from ..mqtt.connection import ReceivedMessage
from .incoming import Message, RawMessage, Received
from .intake import Counters, Intake, Problem
from .mailbox import Mailbox
from .problem_text import describe_problem

__all__ = ["Delivery"]

_LOGGER = logging.getLogger(__name__)

INBOX_BYTES = 32 * 1024 * 1024
ALERTS_BYTES = 32 * 1024 * 1024
_BATCH = 256


def _weigh(message: RawMessage | Received[Alert]) -> int:
    return len(message.payload) + 1024  # about what the Python objects around it take


@final
class Delivery:
    """Listens to a connection, and hands on what holds.

    Attributes:
        alerts: Where alerts wait that no handler takes.
        handlers: Who gets the messages of a type; called from the thread of :meth:`start`.
        problem_handler: Who gets the problems; likewise. Without one they are logged.
        error: Why the last attempt to connect failed; ``None`` while there is a connection.
    """

    def __init__(self, intake: Intake) -> None:
        self.alerts: Mailbox[Received[Alert]] = Mailbox(ALERTS_BYTES, _weigh)
        self.handlers: dict[type[Any], Callable[[Any], object]] = {}
        self.problem_handler: Callable[[Problem], object] | None = None
        self.error: BrokerError | None = None
        self._intake = intake
        self._inbox: Mailbox[RawMessage] = Mailbox(INBOX_BYTES, _weigh)
        self._lost_at_inbox = 0
        self._lock = threading.Lock()
        self._worker = threading.Thread(target=self._work, name="edge-sdk-subscriber", daemon=True)

    @property
    def counters(self) -> Counters:
        """What came, and what was wrong with it."""
        with self._lock:
            return self._intake.counters

    def start(self) -> None:
        """Begin to hand on. Once only."""
        self._worker.start()

    def close(self) -> None:
        """Hand on what has come, report the gaps that were still waited for, and end."""
        self._inbox.close()
        if self._worker.is_alive():
            self._worker.join()
        self.alerts.close()

    def connected(self) -> None:
        """From the network's thread."""
        self.error = None

    def disconnected(self) -> None:
        """From the network's thread: nothing to do, the broker is waited for."""

    def acknowledged(self, token: int) -> None:
        """From the network's thread: nothing was sent."""

    def failed(self, error: BrokerError) -> None:
        """From the network's thread."""
        self.error = error

    def received(self, message: ReceivedMessage) -> None:
        """From the network's thread; never waits."""
        now = datetime.now(timezone.utc)
        lost = len(self._inbox.put(RawMessage(message.topic, message.payload, now)))
        if lost:
            with self._lock:
                self._lost_at_inbox += lost

    def _work(self) -> None:
        while not self._inbox.is_finished:
            due = self._intake.next_due()
            timeout_s = None if due is None else max(0.0, due - time.monotonic())
            for raw in self._inbox.take(_BATCH, timeout_s):
                self._sort(raw)
            self._report_due(time.monotonic())
        self._report_due(math.inf)

    def _sort(self, raw: RawMessage) -> None:
        with self._lock:
            result = self._intake.take(raw, time.monotonic())
        if isinstance(result, Received):
            self._hand_on(result)
        elif result is not None:
            self._report(result)

    def _hand_on(self, received: Received[Message]) -> None:
        handler = self.handlers.get(type(received.message))
        if handler is not None:
            self._call(handler, received)
        elif isinstance(received.message, Alert):
            self._keep(Received(received.message, received.topic, received.received_at, received.payload))

    def _keep(self, received: Received[Alert]) -> None:
        lost = len(self.alerts.put(received))
        if lost:
            with self._lock:
                overflow = self._intake.overflowed(lost)
            self._report(overflow)

    def _report_due(self, now: float) -> None:
        with self._lock:
            problems: list[Problem] = list(self._intake.due(now))
            if self._lost_at_inbox:
                problems.append(self._intake.overflowed(self._lost_at_inbox))
                self._lost_at_inbox = 0
        for problem in problems:
            self._report(problem)

    def _report(self, problem: Problem) -> None:
        if self.problem_handler is not None:
            self._call(self.problem_handler, problem)
        else:
            _LOGGER.warning("%s", describe_problem(problem))

    @staticmethod
    def _call(handler: Callable[[Any], object], value: object) -> None:
        """The outer edge of the worker's thread: a handler's error must not end it."""
        try:
            handler(value)
        except Exception:
            _LOGGER.exception("a handler of the subscriber failed")
