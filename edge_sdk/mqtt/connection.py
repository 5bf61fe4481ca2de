"""What a user of MQTT sees of it; the real thing is in :mod:`.client`, tests bring a fake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ..errors import BrokerError

__all__ = ["LASTING_S", "Connection", "ConnectionListener", "ReceivedMessage", "Will"]

LASTING_S = 10.0
"""A connection that stood so long was a good one; what ends it is news."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when the connection ends without a goodbye."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as it came.

    Attributes:
        topic: Where it was published.
        payload: Its bytes.
        retained: The broker kept it for new subscribers.
        acknowledge: Tells the broker that it need not send it again. Only where the connection was
            made with ``manual_acknowledge``; there it must be called, from any thread.
    """

    topic: str
    payload: bytes
    retained: bool = False
    acknowledge: Callable[[], object] = field(default=lambda: None, compare=False, repr=False)


class ConnectionListener(Protocol):
    """Told what happens. All calls come from the network thread: be quick, and never block on it."""

    def connected(self) -> None:
        """The connection stands, and every subscription was granted."""

    def disconnected(self) -> None:
        """A connection that had stood is over; what was not acknowledged may be lost."""

    def acknowledged(self, token: int) -> None:
        """The broker acknowledged the publish of that token (PUBACK)."""

    def received(self, message: ReceivedMessage) -> None:
        """A message came."""

    def failed(self, error: BrokerError) -> None:
        """An attempt failed, or a connection broke, and why; another attempt follows."""


class Connection(Protocol):
    """One MQTT connection that comes back by itself. Thread-safe."""

    def start(self, listener: ConnectionListener) -> None:
        """Begin to connect, and to come back, until :meth:`stop`."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, token: int | None = None) -> bool:
        """Send with QoS 1.

        Returns:
            Whether there is a connection to send it over. Nothing is queued where there is none.

        Raises:
            MessageError: The topic or the payload cannot be sent over MQTT at all.
        """

    def stop(self) -> None:
        """Say goodbye, so that the will is not published, and end."""
