"""A connection without a network, for tests of whatever uses one."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import BrokerError
from .connection import ConnectionListener, ReceivedMessage

__all__ = ["FakeConnection", "Published"]


@dataclass(frozen=True, slots=True)
class Published:
    """What was handed to the network."""

    topic: str
    payload: bytes
    retain: bool
    token: int | None


@dataclass
class FakeConnection:
    """Stands and falls when told to, and remembers what was published.

    Attributes:
        published: Everything that was taken, oldest first.
        stands: Whether publishing is possible.
        stopped: Whether a goodbye was said.
    """

    published: list[Published] = field(default_factory=list)
    stands: bool = False
    stopped: bool = False
    listener: ConnectionListener | None = None

    def start(self, listener: ConnectionListener) -> None:
        """See :class:`.connection.Connection`."""
        self.listener = listener

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, token: int | None = None) -> bool:
        """See :class:`.connection.Connection`."""
        if self.stands:
            self.published.append(Published(topic, payload, retain, token))
        return self.stands

    def stop(self) -> None:
        """See :class:`.connection.Connection`."""
        self.stands = False
        self.stopped = True

    def connect(self) -> None:
        """The connection stands from now on."""
        self.stands = True
        self._listener.connected()

    def disconnect(self, reason: str = "cut by the test") -> None:
        """The connection is over."""
        self.stands = False
        self._listener.disconnected()
        self._listener.failed(BrokerError(reason))

    def deliver(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """A message comes."""
        self._listener.received(ReceivedMessage(topic, payload, retained))

    def acknowledge(self, token: int) -> None:
        """The broker acknowledges a publish."""
        self._listener.acknowledged(token)

    @property
    def _listener(self) -> ConnectionListener:
        if self.listener is None:
            raise BrokerError("the fake connection was not started")
        return self.listener
