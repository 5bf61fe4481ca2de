"""An MQTT 3.1.1 connection that comes back.

Each attempt is a fresh client. Paho's own reconnecting would send again, for ever, a message that
makes the broker hang up; here nothing outlives its connection, and whoever needs a message delivered
keeps it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import final

from ..errors import BrokerError
from .attempt import Attempt, Identity
from .backoff import Backoff
from .connection import LASTING_S, ConnectionListener, Will
from .settings import BrokerSettings
from .told_reasons import ToldReasons

__all__ = ["MqttConnection"]

_LOGGER = logging.getLogger(__name__)

_SHORT_TOLERATED = 3  # connections in a row that end soon; a bad link may cut some


@final
class MqttConnection:
    """A connection that comes back with jittered, doubling pauses until it is stopped.

    A refusal is logged as an error, each reason once until a connection has lasted. A password that would
    cross the network unencrypted is logged as a warning.

    Args:
        settings: Which broker, as whom.
        client_id: Unique at the broker; a second client of that name ends the first one's connection.
        subscriptions: Topic filters, subscribed with QoS 1 at every connect.
        clean_session: ``False`` asks the broker to keep what comes while we are away.
        will: Published by the broker, retained, if we vanish.
        manual_acknowledge: Whether what is received is acknowledged by its
            :attr:`ReceivedMessage.acknowledge` only, once it is safe.
        backoff: The pauses.
        namesake: Who may be using our client id, as it stands between "does" and a question mark.
        lasting_s: A connection that ends sooner was none; several in a row mean that another client has
            our name, and the pauses grow.

    Raises:
        ConfigError: The TLS files do not hold.
    """

    def __init__(  # noqa: PLR0913 - all but two have a default that suits
        self,
        settings: BrokerSettings,
        *,
        client_id: str,
        subscriptions: Sequence[str] = (),
        clean_session: bool = True,
        will: Will | None = None,
        manual_acknowledge: bool = False,
        backoff: Backoff | None = None,
        namesake: str | None = None,
        lasting_s: float = LASTING_S,
    ) -> None:
        self._settings = settings
        self._identity = Identity(
            client_id,
            tuple(subscriptions),
            clean_session,
            will,
            settings.ssl_context(),
            manual_acknowledge,
        )
        self._backoff = backoff or Backoff()
        self._namesake = namesake or f"another client use the name {client_id}"
        self._lasting_s = lasting_s
        self._short_in_a_row = 0
        self._told = ToldReasons()
        self._attempt: Attempt | None = None
        self._stopping = threading.Event()
        self._outcome = threading.Event()
        self._error: BrokerError | None = None
        self._thread: threading.Thread | None = None
        if settings.exposure:
            _LOGGER.warning("%s; mqtts:// encrypts", settings.exposure)

    def start(self, listener: ConnectionListener) -> None:
        """Begin to connect; returns at once. Once only."""
        name = f"mqtt-{self._identity.client_id}"
        self._thread = threading.Thread(target=self._supervise, args=(listener,), name=name, daemon=True)
        self._thread.start()

    @property
    def is_connected(self) -> bool:
        """Whether the connection stands and every subscription was granted."""
        attempt = self._attempt
        return attempt is not None and attempt.stands

    def require(self, timeout_s: float = 30.0) -> None:
        """Wait for the outcome of the first attempt.

        Raises:
            BrokerError: It failed, or nothing was known in time. Further attempts go on until
                :meth:`stop`.
        """
        if not self._outcome.wait(timeout_s):
            raise BrokerError(f"{self._settings.address} did not answer within {timeout_s:g} s")
        if self._error is not None and not self.is_connected:
            raise self._error

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, token: int | None = None) -> bool:
        """Send with QoS 1, if the connection stands; ``token`` comes back with the acknowledgement.

        Returns:
            Whether it was handed to the network.

        Raises:
            MessageError: The topic or the payload cannot be sent over MQTT at all.
        """
        attempt = self._attempt
        if attempt is None or not attempt.stands:
            return False
        return attempt.publish(topic, payload, retain=retain, token=token)

    def stop(self) -> None:
        """Say goodbye, so that the will is not published, and end. May be called twice.

        Not from a listener: it waits for the thread that calls them.
        """
        self._stopping.set()
        attempt = self._attempt
        if attempt is not None:
            attempt.goodbye()
        if self._thread is not None:
            self._thread.join(self._settings.connect_timeout_s + 5.0)

    def _supervise(self, listener: ConnectionListener) -> None:
        failures = 0
        while not self._stopping.is_set():
            stood = self._connect_guarded(listener)
            failures = max(1, self._short_in_a_row - _SHORT_TOLERATED) if stood else failures + 1
            self._stopping.wait(self._backoff.delay_s(failures))

    def _connect_guarded(self, listener: ConnectionListener) -> bool:
        """The thread's outer edge: a defect is told, and the next attempt follows as after a failure."""
        try:
            return self._connect_once(listener)
        except Exception as error:
            told = BrokerError(f"a defect ended a connection to {self._settings.address}: {error!r}")
            if self._told.is_news(told.message):
                _LOGGER.exception("%s; trying again", told)
            self._end_after(told, listener)
            return False

    def _end_after(self, defect: BrokerError, listener: ConnectionListener) -> None:
        """What the listener has not been told yet. It may have the defect itself."""
        attempt, self._attempt = self._attempt, None
        self._error = defect
        self._outcome.set()
        try:
            if attempt is not None:
                attempt.hang_up()
                if attempt.stands:
                    listener.disconnected()
            listener.failed(defect)
        except Exception:
            _LOGGER.exception("a listener of %s failed", self._settings.address)

    def _connect_once(self, listener: ConnectionListener) -> bool:
        """One connection, from its beginning to its end; whether it stood."""
        attempt = Attempt(self._settings, self._identity, listener, self._stands)
        self._attempt = attempt
        attempt.run(self._stopping)
        self._attempt = None
        self._judge_length(attempt.stood_s)
        if attempt.stands:
            listener.disconnected()
        if not self._stopping.is_set():
            self._report(self._verdict(attempt), listener, stood=attempt.stands)
        self._outcome.set()
        return attempt.stands

    def _stands(self) -> None:
        if self._error is not None and self._short_in_a_row <= _SHORT_TOLERATED:
            _LOGGER.warning("connected to %s", self._settings.address)
        self._error = None
        self._outcome.set()

    def _judge_length(self, stood_s: float) -> None:
        if stood_s >= self._lasting_s:
            self._short_in_a_row = 0
            self._told.forget()
        elif stood_s > 0.0:
            self._short_in_a_row += 1

    def _verdict(self, attempt: Attempt) -> BrokerError:
        error = attempt.verdict()
        if not attempt.was_cut or self._short_in_a_row < _SHORT_TOLERATED:
            return error
        return BrokerError(
            f"the broker {self._settings.address} ends each connection soon after it was made: "
            f"does {self._namesake}?",
            hint=f"the last one ended so: {error.message}",
        )

    def _report(self, error: BrokerError, listener: ConnectionListener, *, stood: bool) -> None:
        if self._told.is_news(error.message):
            level = logging.WARNING if stood else logging.ERROR
            _LOGGER.log(level, "%s; trying again", error)
        self._error = error
        listener.failed(error)
