"""What to do when something happens: the publisher without its thread, its clock and its network."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge_sdk.contract.messages import SeqRange
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import BrokerError, EdgeSdkError, MessageError, OutboxError
from edge_sdk.mqtt.connection import LASTING_S, Connection, ReceivedMessage
from edge_sdk.mqtt.told_reasons import ToldReasons

from ..outbox import Outbox, Row
from .presence import Presence
from .receipts import ReceiptWatch, read_receipt
from .window import Window

__all__ = ["Dispatcher", "PublisherCounts"]

_LOGGER = logging.getLogger(__name__)

_OUTBOX_RETRY_S = 5.0


@dataclass(slots=True)
class PublisherCounts:
    """What was done since the start.

    Attributes:
        sent: Messages handed to the network; one that is sent again counts again.
        set_aside: Messages that ended connection after connection, or cannot travel at all.
    """

    sent: int = 0
    set_aside: int = 0


class Dispatcher:
    """Reacts to the connection and to the receiver, and sends. For one thread.

    Args:
        outbox: Where messages wait.
        connection: Where they go.
        topics: Site and device.
        presence: Says that we are there.
        window: Knows what is under way.
        receiver_id: Whose receipts count.
        probe_s: How long a probe may take to come back.
        on_fault: Told of whatever a person should know.
    """

    def __init__(
        self,
        outbox: Outbox,
        connection: Connection,
        topics: Topics,
        presence: Presence,
        window: Window,
        *,
        receiver_id: str,
        probe_s: float,
        on_fault: Callable[[EdgeSdkError], None],
    ) -> None:
        self.counts = PublisherCounts()
        self._outbox = outbox
        self._connection = connection
        self._topics = topics
        self._presence = presence
        self._window = window
        self._receiver_id = receiver_id
        self._probe_s = probe_s
        self._on_fault = on_fault
        self._connected = False
        self._probe_due_at = 0.0
        self._read_again_at = 0.0
        self._connected_at: float | None = None
        self._link_error = ""
        self._told = ToldReasons()
        self._receipts = ReceiptWatch(topics, receiver_id)

    def connected(self, now: float) -> None:
        """A connection stands: say so, and ask whether we are heard."""
        self._connected = True
        self._connected_at = now
        self._presence.announce(self._connection)
        self._probe_due_at = now + self._probe_s

    def disconnected(self) -> None:
        """It is over."""
        self._connected = False
        self._presence.proved = False
        culprit = self._window.connection_ended()
        if culprit is not None:
            self._set_aside(culprit, "ended connection after connection")

    def acknowledged(self, seq: int) -> None:
        """The broker has taken a message."""
        if self._window.acknowledged(seq):
            self._outbox.confirm([(seq, seq)])

    def received(self, message: ReceivedMessage, now: float) -> None:
        """Something came on one of our topics."""
        try:
            if message.topic == self._topics.receipt:
                self._read_receipt(message.payload, now)
            elif message.topic == self._topics.status:
                self._presence.heard_status(self._connection, message.payload, retained=message.retained)
            elif message.topic == self._topics.probe:
                self._presence.heard_probe(message.payload)
        except MessageError as error:
            self.report(error)
        except BrokerError as error:
            if self._told.is_news(error.message):
                self.report(error)

    def report(self, error: EdgeSdkError) -> None:
        """Log it, and tell a person."""
        _LOGGER.error("%s", error)
        self._on_fault(error)

    def link_failed(self, error: BrokerError, now: float) -> None:
        """An attempt failed or a connection broke; each reason is told once. The connection has logged it."""
        if self._connected_at is not None and now - self._connected_at >= LASTING_S:
            self._told.forget()
        self._connected_at = None
        self._link_error = error.message
        if self._told.is_news(error.message):
            self._on_fault(error)

    def why_waiting(self) -> str:
        """Why what waits in the outbox was not delivered yet, as far as it can be told."""
        if not self._connected:
            return self._link_error or "there was no connection to the broker yet"
        if not self._presence.proved:
            return "what this device publishes does not come back from the broker"
        return self._receipts.why_waiting(self._window.taken)

    def say_reported(self) -> None:
        """Publish ``reported`` again, after it has changed."""
        if self._connected:
            self._presence.say_reported(self._connection)

    def say_offline(self, token: int) -> bool:
        """Publish that we go; whether there is a connection to say it over."""
        return self._connected and self._presence.say_offline(self._connection, token)

    def is_drained(self) -> bool:
        """Whether nothing waits, as far as the outbox can tell."""
        try:
            return self._outbox.is_empty
        except OutboxError as error:
            self.report(error)
            return True

    def send(self, now: float) -> None:
        """Send what is overdue and what there is room for."""
        if not self._connected:
            return
        if not self._presence.proved:
            self._ask_again(now)
            return
        self._watch_receiver(now)
        for row in self._window.overdue(now):
            if not self._send(row, now):
                return
        while self._window.room > 0 and now >= self._read_again_at:
            rows = self._next_rows(now)
            if not rows or not all(self._send(row, now) for row in rows):
                return

    def wake_at(self) -> float | None:
        """When :meth:`send` has something to do even if nothing happens."""
        if not self._connected:
            return None
        if not self._presence.proved:
            return self._probe_due_at
        times = [self._window.next_due_at(), self._read_again_at or None]
        return min((at for at in times if at is not None), default=None)

    def _next_rows(self, now: float) -> list[Row]:
        self._read_again_at = 0.0
        try:
            return self._outbox.next_rows(self._window.room, self._window.under_way)
        except OutboxError as error:
            self._read_again_at = now + _OUTBOX_RETRY_S
            self.report(error)
            return []

    def _send(self, row: Row, now: float) -> bool:
        """Send one message; whether the connection took it, or it was set aside."""
        try:
            taken = self._connection.publish(row.topic, row.payload, token=row.seq)
        except MessageError as error:
            self.report(error)
            self._window.forget(row.seq)
            self._set_aside(row.seq, "cannot travel over MQTT")
            return True
        if taken:
            self._window.sent(row, now)
            self.counts.sent += 1
        return taken

    def _ask_again(self, now: float) -> None:
        if now >= self._probe_due_at:
            self.report(self._presence.silence(self._probe_s))
            self._presence.ask(self._connection)
            self._probe_due_at = now + self._probe_s

    def _read_receipt(self, payload: bytes, now: float) -> None:
        receipt = read_receipt(payload)
        if receipt.epoch != self._outbox.epoch:
            return  # an earlier outbox's messages are gone
        if receipt.receiver_id != self._receiver_id:
            self._tell_if_any(self._receipts.foreign(receipt.receiver_id))
            return
        self._outbox.confirm(receipt.ranges)
        if receipt.rejected:
            self._reject(receipt.rejected)
        self._window.confirmed([*receipt.ranges, *receipt.rejected], now)
        self._receipts.ours()
        self._watch_receiver(now)

    def _watch_receiver(self, now: float) -> None:
        """Tell when messages stay unconfirmed, and in ``reported`` also when they no longer do."""
        unconfirmed = self._window.unconfirmed(now)
        self._tell_if_any(self._receipts.unconfirmed(unconfirmed))
        if unconfirmed != self._presence.unconfirmed:
            self._presence.unconfirmed = unconfirmed
            self.say_reported()

    def _tell_if_any(self, error: BrokerError | None) -> None:
        if error is not None:
            self.report(error)

    def _reject(self, ranges: Sequence[SeqRange]) -> None:
        self._outbox.quarantine(ranges, "rejected")
        number = sum(last - first + 1 for first, last in ranges)
        numbers = ", ".join(f"{first}-{last}" if first < last else f"{first}" for first, last in ranges)
        self.report(
            MessageError(
                f"the receiver '{self._receiver_id}' rejects {number} messages for good: {numbers}",
                hint="they are kept in the outbox; see the receiver's log for why",
            )
        )

    def _set_aside(self, seq: int, why: str) -> None:
        self._outbox.quarantine([(seq, seq)], "set_aside")
        self.counts.set_aside += 1
        self._presence.set_aside = self.counts.set_aside
        self.report(
            MessageError(
                f"message {seq} {why}; it is set aside, and what waits behind it goes on",
                hint="it is kept in the outbox, and tried again after a restart",
            )
        )
        self.say_reported()
