"""The one receiver that devices wait for: what it confirms is on its disk."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, final

from ..contract.topics import ROOT, Topics
from ..errors import BrokerError, ConfigError, MessageError, UsageError
from ..mqtt.connection import LASTING_S, ReceivedMessage
from ..mqtt.settings import BrokerSettings
from ..mqtt.told_reasons import ToldReasons
from .incoming import RawMessage
from .store import Store
from .store_write import Outcome
from .storing import MonitorEvent, Storing

if TYPE_CHECKING:
    from typing_extensions import Self

    from ..mqtt.client import MqttConnection

__all__ = ["Monitor", "MonitorEvent"]

_LOGGER = logging.getLogger(__name__)

_FILTERS = tuple(f"{ROOT}/+/+/up/{end}" for end in ("alert/+", "coverage", "dropped", "status", "reported"))


@final
class Monitor:
    """Stores what devices send, and only then confirms it, to the device and to the broker.

    A process that is killed anywhere loses nothing: what was not committed was not confirmed, and is
    sent again. A disk that fails stops all receipts until a commit succeeds::

        with Store("alerts.db") as store, Monitor("mqtt://localhost", store, receiver_id="server-1"):
            signal.pause()

    Args:
        broker: Settings, or ``mqtt[s]://host:port`` with user and password in the environment.
        store: Where to. It is not closed.
        receiver_id: The name that devices are configured to wait for. One process at a time.
        on_event: Told what a person should see, from threads of the monitor's; else it is logged.

    Raises:
        ConfigError: The address, the receiver id, or the TLS files do not hold.
    """

    def __init__(
        self,
        broker: BrokerSettings | str,
        store: Store,
        *,
        receiver_id: str = "monitor",
        on_event: Callable[[MonitorEvent], object] | None = None,
    ) -> None:
        self._settings = BrokerSettings.from_url(broker) if isinstance(broker, str) else broker
        self._receiver_id = _checked_receiver_id(receiver_id)
        self._tell = on_event or _log
        self._storing = Storing(store, receiver_id, self._publish, self._tell)
        self._connection: MqttConnection | None = None
        self._connected_at: float | None = None
        self._outage_told = True
        self._told = ToldReasons()

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many messages came to what, since the start."""
        return Counter(self._storing.outcomes)

    @property
    def given_up(self) -> int:
        """How many messages came faster than they could be stored, and were given up."""
        return self._storing.given_up

    def start(self, *, require_broker: bool = True) -> None:
        """Connect and begin to receive. ``with`` does it.

        Args:
            require_broker: Whether a broker that cannot be reached now is an error. Later it never
                is; it is waited for.

        Raises:
            BrokerError: The broker cannot be reached, or refuses.
            MissingExtraError: paho-mqtt is not installed.
            UsageError: It has been started before.
        """
        from ..mqtt.client import MqttConnection

        if self._connection is not None:
            raise UsageError("the monitor has been started before")
        self._connection = MqttConnection(
            self._settings,
            client_id=f"edge-sdk-{self._receiver_id}",
            subscriptions=_FILTERS,
            clean_session=False,
            manual_acknowledge=True,
            namesake=f"another monitor use the receiver id {self._receiver_id}",
        )
        self._storing.start()
        self._connection.start(self)
        if not require_broker:
            return
        try:
            self._connection.require()
        except BrokerError:
            self.stop()
            raise

    def stop(self) -> None:
        """Commit and confirm what has come, and disconnect. May be called twice."""
        self._storing.stop()
        if self._connection is not None:
            self._connection.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def connected(self) -> None:
        """From the network's thread."""
        self._connected_at = time.monotonic()
        if self._outage_told:
            self._outage_told = False
            self._tell(MonitorEvent("connected", f"connected to {self._settings.address}"))

    def disconnected(self) -> None:
        """From the network's thread; :meth:`failed` says why."""

    def acknowledged(self, token: int) -> None:
        """From the network's thread. A receipt that gets lost is asked for again by its device."""

    def failed(self, error: BrokerError) -> None:
        """From the network's thread. Each reason is told once until a connection has lasted."""
        if self._connected_at is not None and time.monotonic() - self._connected_at >= LASTING_S:
            self._told.forget()
        self._connected_at = None
        if self._told.is_news(error.message):
            self._outage_told = True
            self._tell(MonitorEvent("disconnected", error.message))

    def received(self, message: ReceivedMessage) -> None:
        """From the network's thread; never waits."""
        raw = RawMessage(message.topic, message.payload, datetime.now(timezone.utc))
        self._storing.put(raw, message.acknowledge)

    def _publish(self, topic: str, payload: bytes) -> bool:
        return self._connection is not None and self._connection.publish(topic, payload)


def _log(event: MonitorEvent) -> None:
    good = event.kind in ("connected", "store_working")
    _LOGGER.log(logging.INFO if good else logging.WARNING, "%s", event.text)


def _checked_receiver_id(receiver_id: str) -> str:
    try:
        Topics("any", receiver_id)
    except MessageError as error:
        raise ConfigError(f"'{receiver_id}' cannot be a receiver id", hint=error.hint) from error
    return receiver_id
