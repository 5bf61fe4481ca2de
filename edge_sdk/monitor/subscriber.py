"""Receiving alerts in a program of one's own. Confirms nothing: only a durable store may."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, final

from ..contract.messages import Alert, Coverage, Dropped, Reported, Status
from ..contract.topics import ROOT, alert_filter
from ..errors import BrokerError, UsageError
from ..mqtt.settings import BrokerSettings
from .delivery import Delivery
from .incoming import Message, Received
from .intake import Counters, Intake, Problem
from .seq_ledger import SeqLedger

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..mqtt.client import MqttConnection

__all__ = ["Subscriber"]

_MessageT = TypeVar("_MessageT", bound=Message)

_TOPIC_ENDS: dict[type[Message], str] = {
    Coverage: "coverage",
    Dropped: "dropped",
    Status: "status",
    Reported: "reported",
}


@final
class Subscriber:
    """Alerts as typed values, each once, from one device or from all.

    By iteration::

        with Subscriber("mqtt://localhost", label="gunshot") as alerts:
            for received in alerts:
                print(received.message.device, received.message.score, received.received_at)

    or by functions, for any kind of message; all are called from one thread, which is not yours::

        subscriber = Subscriber("mqtt://localhost")
        subscriber.on(Status, lambda received: print(received.message.device, received.message.state))
        subscriber.on_problem(print)
        with subscriber:
            ...

    Bad payloads, gaps in ``seq`` and keys used twice are never fatal: they are counted, and logged or
    handed to the function given to :meth:`on_problem`. A broker that goes away is waited for.

    Args:
        broker: Settings, or ``mqtt[s]://host:port`` with user and password in the environment.
        site: Only of this site.
        device: Only of devices of this name.
        label: Only alerts of this label id. Gaps cannot be seen then, as a device counts over all
            that it sends.
        client_id: Asks the broker to keep what comes while this program is away. Without it, every
            start is a new one.
        gap_after_s: How long to wait for a number that was jumped over before it is a gap, in
            seconds. A device sends again after 60 s what was not confirmed.

    Raises:
        ConfigError: The address or the TLS files do not hold.
        MessageError: A name cannot be part of a topic.
    """

    def __init__(
        self,
        broker: BrokerSettings | str,
        *,
        site: str | None = None,
        device: str | None = None,
        label: str | None = None,
        client_id: str | None = None,
        gap_after_s: float = 90.0,
    ) -> None:
        self._settings = BrokerSettings.from_url(broker) if isinstance(broker, str) else broker
        self._alert_filter = alert_filter(site, device, label)
        self._up = f"{ROOT}/{site or '+'}/{device or '+'}/up"
        self._client_id = client_id
        self._sees_gaps = label is None
        ledger = SeqLedger(gap_after_s=gap_after_s if self._sees_gaps else math.inf)
        self._delivery = Delivery(Intake(ledger))
        self._connection: MqttConnection | None = None

    def on(self, message_type: type[_MessageT], handler: Callable[[Received[_MessageT]], object]) -> None:
        """Have messages of one type handed to a function, from a thread of the subscriber's.

        Alerts that go to a function cannot be iterated over as well. What a function raises is logged
        and ends nothing.

        Raises:
            UsageError: The subscriber has been started.
        """
        self._require_not_started()
        self._delivery.handlers[message_type] = handler

    def on_problem(self, handler: Callable[[Problem], object]) -> None:
        """Have problems handed to a function instead of the log, from a thread of the subscriber's.

        Raises:
            UsageError: The subscriber has been started.
        """
        self._require_not_started()
        self._delivery.problem_handler = handler

    def start(self, *, require_broker: bool = True) -> None:
        """Connect and begin to receive. ``with`` does it.

        Args:
            require_broker: Whether a broker that cannot be reached now is an error. Later it never
                is; it is waited for.

        Raises:
            BrokerError: The broker cannot be reached, or refuses.
            MissingExtraError: paho-mqtt is not installed.
            UsageError: The subscriber has been started before.
        """
        from ..mqtt.client import MqttConnection

        self._require_not_started()
        self._connection = MqttConnection(
            self._settings,
            client_id=self._client_id or f"edge-sdk-{uuid.uuid4().hex[:14]}",
            subscriptions=self._filters(),
            clean_session=self._client_id is None,
        )
        self._delivery.start()
        self._connection.start(self._delivery)
        if not require_broker:
            return
        try:
            self._connection.require()
        except BrokerError:
            self.close()
            raise

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there and grants what was asked for."""
        return self._connection is not None and self._connection.is_connected

    @property
    def last_error(self) -> BrokerError | None:
        """Why there is no connection; ``None`` where there is one, or none was tried."""
        return None if self.is_connected else self._delivery.error

    @property
    def counters(self) -> Counters:
        """What came, and what was wrong with it."""
        return self._delivery.counters

    def __iter__(self) -> Iterator[Received[Alert]]:
        """Alerts as they come, until :meth:`close`."""
        while not self._delivery.alerts.is_finished:
            received = self.next_alert()
            if received is not None:
                yield received

    def next_alert(self, timeout_s: float | None = None) -> Received[Alert] | None:
        """The next alert.

        Args:
            timeout_s: How long to wait for it, in seconds; ``None`` waits until there is one.

        Returns:
            ``None`` when the time is over, or the subscriber is closed and all were taken.

        Raises:
            UsageError: Alerts go to a function (:meth:`on`).
        """
        if Alert in self._delivery.handlers:
            raise UsageError(
                "alerts go to the function given to on(Alert, ...)", hint="iterate, or give a function"
            )
        taken = self._delivery.alerts.take(1, timeout_s)
        return taken[0] if taken else None

    def close(self) -> None:
        """Disconnect, and end the iteration once what came is taken. May be called twice.

        Not from a handler: it waits for the thread that calls them. Gaps that were still waited for
        are reported.
        """
        if self._connection is not None:
            self._connection.stop()
        self._delivery.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _filters(self) -> list[str]:
        """What to subscribe to: what is wanted, and all that counts where gaps are looked for."""
        wanted = {*self._delivery.handlers, *((Coverage, Dropped) if self._sees_gaps else ())}
        ends = [end for message_type, end in _TOPIC_ENDS.items() if message_type in wanted]
        return [self._alert_filter, *(f"{self._up}/{end}" for end in ends)]

    def _require_not_started(self) -> None:
        if self._connection is not None:
            raise UsageError("the subscriber has been started", hint="register functions before start()")
