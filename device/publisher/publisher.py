"""Sends what the outbox keeps, and lets go of it when the receiver has confirmed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue
from typing import Literal, TypeAlias, final

from edge_sdk.contract.messages import Reported
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import BrokerError, ConfigError, EdgeSdkError, MessagingError
from edge_sdk.mqtt.connection import Connection, ReceivedMessage, Will
from edge_sdk.mqtt.settings import BrokerSettings

from ..outbox import Outbox
from .dispatcher import Dispatcher, PublisherCounts
from .presence import Presence
from .window import Window

__all__ = ["Delivery", "OpenConnection", "Publisher"]

_LOGGER = logging.getLogger(__name__)

Delivery: TypeAlias = Literal["receipt", "puback"]
OpenConnection: TypeAlias = Callable[[Will, Sequence[str]], Connection]
"""Makes the connection for a last will and topic filters."""

_MAX_UNDER_WAY = 64
_GOODBYE_S = 5.0
_GOODBYE_TOKEN = 0  # messages are numbered from 1


@final
class Publisher:
    """One thread that sends until :meth:`stop`, whatever the broker does.

    Args:
        outbox: Where messages wait. The caller closes it, after :meth:`stop`.
        broker: Which broker, as whom.
        topics: Site and device, as the outbox has them.
        session: UUID of this process.
        delivery: ``receipt`` keeps a message until the receiver has stored it; ``puback`` only until
            the broker has taken it, for subscribers that know nothing of receipts.
        receiver_id: The one receiver whose receipts count; needed for ``receipt``.
        reported: What the device runs; may follow with :meth:`report`.
        on_fault: Told, from this thread, of whatever a person should know. All of it is logged too.
            ``BrokerError``: a refusal or a silent receiver, each reason once; ``MessageError``: messages
            rejected or set aside, receipts that do not hold; ``OutboxError``: the outbox cannot be read.
            After all of these it goes on. ``MessagingError`` itself: it has ended, by a bug.
        resend_s: The least time before a message is sent again over a connection that stands.
        probe_s: How long a probe may take to come back.
        open_connection: Makes the connection; tests bring their own.

    Raises:
        ConfigError: Delivery ``receipt`` without a receiver, or TLS files that do not hold.
    """

    def __init__(  # noqa: PLR0913 - most have a default that suits, and are named where they do not
        self,
        outbox: Outbox,
        broker: BrokerSettings,
        topics: Topics,
        session: str,
        *,
        delivery: Delivery = "receipt",
        receiver_id: str | None = None,
        reported: Reported | None = None,
        on_fault: Callable[[EdgeSdkError], None] = lambda _: None,
        resend_s: float = 60.0,
        probe_s: float = 30.0,
        open_connection: OpenConnection | None = None,
    ) -> None:
        needs_receipt = delivery == "receipt"
        if needs_receipt and not receiver_id:
            raise ConfigError(
                "delivery 'receipt' needs the id of the receiver",
                hint="set receiver_id, or delivery 'puback' for a subscriber that sends no receipts",
            )
        self._outbox = outbox
        self._on_fault = on_fault
        self._presence = Presence(topics, session, reported, broker.who)
        subscriptions = [*self._presence.subscriptions, *([topics.receipt] if needs_receipt else [])]
        opener = open_connection or partial(_open_mqtt, broker, topics)
        self._connection = opener(self._presence.will, subscriptions)
        self._dispatcher = Dispatcher(
            outbox,
            self._connection,
            topics,
            self._presence,
            Window(_MAX_UNDER_WAY, needs_receipt=needs_receipt, resend_s=resend_s),
            receiver_id=receiver_id or "",
            probe_s=probe_s,
            on_fault=on_fault,
        )
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._links = 0  # connections that have stood, by the network's thread; by ours:
        self._known_links = 0
        self._stop_at: float | None = None
        self._goodbye_until: float | None = None
        self._why_waiting = "nothing was sent"
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    @property
    def counts(self) -> PublisherCounts:
        """What was done since the start."""
        return self._dispatcher.counts

    @property
    def why_waiting(self) -> str:
        """After :meth:`stop`: why messages still wait in the outbox, if any do."""
        return self._why_waiting

    def start(self) -> None:
        """Begin to connect and to send; returns at once. Once only."""
        self._outbox.on_commit(lambda: self._inbox.put(_nothing))
        self._thread.start()
        self._connection.start(self)

    def report(self, reported: Reported) -> None:
        """Publish what the device runs, now and at every connect."""
        self._inbox.put(partial(self._report, reported))

    def stop(self, drain_s: float = 10.0) -> None:
        """Wait until all is delivered, for ``drain_s`` at most, then say goodbye. May be called twice.

        What was not delivered stays in the outbox.
        """
        self._inbox.put(partial(self._begin_to_stop, drain_s))
        if self._thread.ident is not None:
            self._thread.join(drain_s + 2 * _GOODBYE_S)
        self._connection.stop()

    def connected(self) -> None:
        """From the network's thread."""
        self._links += 1
        self._inbox.put(partial(self._connected, self._links))

    def disconnected(self) -> None:
        """From the network's thread."""
        self._links += 1
        self._inbox.put(self._dispatcher.disconnected)

    def acknowledged(self, token: int) -> None:
        """From the network's thread, or from ours while it publishes."""
        self._inbox.put(partial(self._acknowledged, token))

    def received(self, message: ReceivedMessage) -> None:
        """From the network's thread."""
        self._inbox.put(lambda: self._dispatcher.received(message, time.monotonic()))

    def failed(self, error: BrokerError) -> None:
        """From the network's thread, which has logged it."""
        self._inbox.put(lambda: self._dispatcher.link_failed(error, time.monotonic()))

    def _run(self) -> None:
        """The outer edge of the thread: a fault of ours must not leave a device that only seems well."""
        try:
            while not self._ended:
                self._step()
        except Exception as error:
            _LOGGER.exception("the publisher has ended")
            self._on_fault(MessagingError(f"the publisher has ended: {error!r}"))

    def _step(self) -> None:
        wake_at = self._wake_at()
        try:
            timeout = None if wake_at is None else max(0.0, wake_at - time.monotonic())
            self._inbox.get(timeout=timeout)()
            while True:
                self._inbox.get_nowait()()
        except Empty:
            pass
        # Over a connection that we have not heard of yet, nothing was proved.
        if self._links == self._known_links and self._goodbye_until is None:
            self._dispatcher.send(time.monotonic())
        self._finish_when_drained()

    def _wake_at(self) -> float | None:
        if self._goodbye_until is not None:
            return self._goodbye_until
        times = (self._dispatcher.wake_at(), self._stop_at)
        return min((at for at in times if at is not None), default=None)

    def _connected(self, link: int) -> None:
        self._known_links = link
        self._dispatcher.connected(time.monotonic())

    def _acknowledged(self, token: int) -> None:
        if token == _GOODBYE_TOKEN:
            self._ended = True
        else:
            self._dispatcher.acknowledged(token)

    def _report(self, reported: Reported) -> None:
        self._presence.reported = reported
        self._dispatcher.say_reported()

    def _begin_to_stop(self, drain_s: float) -> None:
        if self._stop_at is None:
            self._stop_at = time.monotonic() + drain_s

    def _finish_when_drained(self) -> None:
        now = time.monotonic()
        if self._goodbye_until is not None:
            self._ended = self._ended or now >= self._goodbye_until
        elif self._stop_at is not None and (now >= self._stop_at or self._dispatcher.is_drained()):
            self._why_waiting = self._dispatcher.why_waiting()
            self._goodbye_until = now + _GOODBYE_S
            self._ended = not self._dispatcher.say_offline(_GOODBYE_TOKEN)


def _nothing() -> None:
    """Only wakes the thread."""


def _open_mqtt(
    broker: BrokerSettings, topics: Topics, will: Will, subscriptions: Sequence[str]
) -> Connection:
    from edge_sdk.mqtt.client import MqttConnection

    client_id = f"{topics.site}:{topics.device}"  # nats-server accepts no dot
    return MqttConnection(
        broker,
        client_id=client_id,
        subscriptions=subscriptions,
        will=will,
        namesake=f"another device use the name {topics.site}.{topics.device}",
    )
