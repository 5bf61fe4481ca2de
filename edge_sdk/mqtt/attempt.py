"""One MQTT connection, from its beginning to its end. The only module that imports paho-mqtt."""

from __future__ import annotations

import logging
import ssl
import struct
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ..errors import BrokerError, MessageError, MissingExtraError
from .acknowledgements import Acknowledgements
from .connection import ConnectionListener, ReceivedMessage, Will
from .refusals import broken, mute, refused, refused_subscriptions, unreachable
from .settings import BrokerSettings

try:
    from paho.mqtt.client import Client, MQTTMessage, MQTTv311
    from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
    from paho.mqtt.reasoncodes import ReasonCode
except ImportError as error:
    raise MissingExtraError("paho-mqtt", "mqtt") from error

__all__ = ["Attempt", "Identity"]

_LOGGER = logging.getLogger(__name__)

_GOODBYE_S = 5.0
_POLL_S = 1.0
# paho gives CONNACK return codes as the reason codes of MQTT 5; this turns them back.
_RETURN_CODES = {132: 1, 133: 2, 136: 3, 134: 4, 135: 5}

_NOT_OUR_PROTOCOL = "Protocol error"  # what paho makes of return code 1, and of what is no MQTT at all


class Identity(NamedTuple):
    """Who connects, and what for."""

    client_id: str
    subscriptions: tuple[str, ...]
    clean_session: bool
    will: Will | None
    tls: ssl.SSLContext | None
    manual_acknowledge: bool = False


class Attempt:
    """One paho client and its one connection.

    Args:
        settings: Which broker.
        identity: Who we are.
        listener: Told what happens, from paho's thread; an acknowledgement that was faster than
            ``publish`` from that caller's.
        on_standing: Called before the listener's ``connected``.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        identity: Identity,
        listener: ConnectionListener,
        on_standing: Callable[[], None],
    ) -> None:
        self.stands = False
        self.stood_s = 0.0
        self._stands_since = 0.0
        self._settings = settings
        self._subscriptions = identity.subscriptions
        self._listener = listener
        self._on_standing = on_standing
        self._client = _new_client(settings, identity)
        self._error: BrokerError | None = None
        self._reason = "no reason given"
        self._running = False
        self._ended = threading.Event()
        self._acknowledgements = Acknowledgements()
        self._client.on_connect = self._guarded(self._on_connect)
        self._client.on_subscribe = self._guarded(self._on_subscribe)
        self._client.on_publish = self._guarded(self._on_publish)
        self._client.on_message = self._guarded(self._on_message)
        self._client.on_disconnect = self._on_disconnect

    def run(self, stopping: threading.Event) -> None:
        """Connect, and return when the connection is over. Once only."""
        try:
            self._run(stopping)
        finally:
            self._let_go()

    def _run(self, stopping: threading.Event) -> None:
        try:
            self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive_s)
        except (OSError, ValueError) as error:  # a host name that is none is a UnicodeError
            self._error = unreachable(self._settings, error)
            self._error.__cause__ = error.with_traceback(None)  # its frames would hold the socket
            return
        self._client.loop_start()
        self._running = True
        if stopping.is_set():
            self.goodbye()
        give_up_at = time.monotonic() + self._settings.connect_timeout_s
        # A malformed packet ends paho's thread without a word; there is no other way to learn of it.
        while not self._ended.wait(_POLL_S) and self._client._thread is not None:  # noqa: SLF001
            if not self.stands and time.monotonic() >= give_up_at:
                self._error = mute(self._settings)
                self.hang_up()
                break
        try:
            self._client.loop_stop()
        except (
            AttributeError
        ):  # paho forgets its thread as soon as that ends, also in the midst of waiting for it
            if self._client._thread is not None:  # noqa: SLF001
                raise
        if self.stands:
            self.stood_s = time.monotonic() - self._stands_since

    def _let_go(self) -> None:
        """Take the callbacks back: by them, client and attempt would keep each other, and sockets, open."""
        client = self._client
        client.on_connect = client.on_subscribe = client.on_publish = None
        client.on_message = client.on_disconnect = None

    def goodbye(self) -> None:
        """Disconnect; where that cannot be said because the link hangs, close the socket."""
        if not self._running:
            return
        self._client.disconnect()
        if not self._ended.wait(_GOODBYE_S):
            self.hang_up()

    def hang_up(self) -> None:
        """Close the socket without a word."""
        connection = self._client.socket()
        if connection is not None:
            connection.close()

    def publish(self, topic: str, payload: bytes, *, retain: bool, token: int | None) -> bool:
        """See :meth:`edge_sdk.mqtt.client.MqttConnection.publish`."""
        try:
            info = self._client.publish(topic, payload, qos=1, retain=retain)
        except (ValueError, struct.error) as error:
            raise MessageError(f"cannot publish {len(payload)} bytes on '{topic}': {error}") from error
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        if self._acknowledgements.sent(info.mid, token) and token is not None:
            self._listener.acknowledged(token)
        return True

    @property
    def was_cut(self) -> bool:
        """It got as far as MQTT, and was ended from the other side without a word."""
        return self._running and self._error is None

    def verdict(self) -> BrokerError:
        """Why it is over."""
        if self._reason == _NOT_OUR_PROTOCOL and not self.stands and self._error is None:
            return refused(self._settings, 1)
        return self._error or broken(self._settings, stood=self.stands, reason=self._reason)

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """The outer edge of paho's thread: an error there would end it without a word."""

        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:
                _LOGGER.exception("a listener of %s failed", self._settings.address)
                self._error = BrokerError(f"a listener of {self._settings.address} failed: {error!r}")
                self._client.disconnect()

        return call

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _more: Any) -> None:
        if code.is_failure:
            self._error = refused(self._settings, _RETURN_CODES.get(code.value, code.value))
        elif self._subscriptions:
            self._client.subscribe([(topic_filter, 1) for topic_filter in self._subscriptions])
        else:
            self._connected()

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, codes: list[ReasonCode], _more: Any
    ) -> None:
        refusals = [name for name, code in zip(self._subscriptions, codes, strict=False) if code.is_failure]
        if refusals:
            self._error = refused_subscriptions(self._settings, refusals)
            self._client.disconnect()
        else:
            self._connected()

    def _connected(self) -> None:
        self._stands_since = time.monotonic()
        self.stands = True
        self._on_standing()
        self._listener.connected()

    def _on_publish(self, _client: Client, _data: Any, mid: int, _code: Any, _more: Any) -> None:
        token = self._acknowledgements.acknowledged(mid)
        if token is not None:
            self._listener.acknowledged(token)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        # An acknowledgement that comes after the connection's end goes nowhere, as it must: packet ids
        # are given anew.
        acknowledge = partial(self._client.ack, message.mid, message.qos)
        self._listener.received(
            ReceivedMessage(message.topic, bytes(message.payload), message.retain, acknowledge)
        )

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, code: ReasonCode, _more: Any) -> None:
        self._reason = str(code)
        self._ended.set()


def _new_client(settings: BrokerSettings, identity: Identity) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=identity.client_id,
        clean_session=identity.clean_session,
        protocol=MQTTv311,
        reconnect_on_failure=False,
        manual_ack=identity.manual_acknowledge,
    )
    client.connect_timeout = settings.connect_timeout_s
    client.max_inflight_messages_set(0)  # the window is the caller's
    if settings.user is not None:
        client.username_pw_set(settings.user, settings.password)
    if identity.tls is not None:
        client.tls_set_context(identity.tls)
    if identity.will is not None:
        client.will_set(identity.will.topic, identity.will.payload, qos=1, retain=True)
    return client
