"""Saying that the device is there, and finding out whether it may speak."""

from __future__ import annotations

import secrets
from typing import Literal

import msgspec

from edge_sdk.contract.messages import (
    ALERT_MAX_BYTES,
    Probe,
    Reported,
    Status,
    decode_message,
    encode_message,
)
from edge_sdk.contract.topics import Topics
from edge_sdk.errors import BrokerError
from edge_sdk.mqtt.connection import Connection, Will

__all__ = ["Presence"]


class Presence:
    """Status, last will, ``reported`` and probe of one process.

    Args:
        topics: Site and device.
        session: UUID of this process.
        reported: What the device runs, where it is known already.
        who: As whom we connect, for messages.
    """

    def __init__(
        self, topics: Topics, session: str, reported: Reported | None, who: str = "this client"
    ) -> None:
        self.reported = reported
        self.set_aside = 0
        self.unconfirmed = 0
        self.proved = False
        self._topics = topics
        self._session = session
        self._who = who
        self._nonce = ""
        self._leaving = False

    @property
    def will(self) -> Will:
        """What the broker says for us if we vanish."""
        return Will(self._topics.status, self._status("offline"))

    @property
    def subscriptions(self) -> tuple[str, str]:
        """What must be read for it."""
        return self._topics.status, self._topics.probe

    def announce(self, connection: Connection) -> None:
        """Say that we are there and what we run, and ask to hear ourselves."""
        self.say_online(connection)
        self.say_reported(connection)
        self.ask(connection)

    def say_online(self, connection: Connection) -> None:
        """Retained, so that whoever comes later knows. Not after the goodbye, which comes back to us too."""
        if self._leaving:
            return
        connection.publish(self._topics.status, self._status("online"), retain=True)

    def say_offline(self, connection: Connection, token: int) -> bool:
        """A goodbye: the broker does not publish the will of a client that says so."""
        self._leaving = True
        return connection.publish(self._topics.status, self._status("offline"), retain=True, token=token)

    def say_reported(self, connection: Connection) -> None:
        """What we run, with how many messages were set aside or stay unconfirmed."""
        if self.reported is not None:
            reported = msgspec.structs.replace(
                self.reported, set_aside=self.set_aside, unconfirmed=self.unconfirmed
            )
            connection.publish(self._topics.reported, encode_message(reported), retain=True)

    def ask(self, connection: Connection) -> None:
        """Write the probe. Until it is read back, alerts wait.

        A broker may acknowledge what its rules forbid, or what is over its size limit, and throw it
        away. So the probe is as long as the longest alert: blanks behind it make it so.
        """
        self.proved = False
        self._nonce = secrets.token_hex(8)
        probe = encode_message(Probe(session=self._session, nonce=self._nonce))
        connection.publish(self._topics.probe, probe.ljust(ALERT_MAX_BYTES))

    def heard_probe(self, payload: bytes) -> bool:
        """Whether this is our probe; then we may publish, and can be heard.

        Raises:
            MessageError: It is no probe.
        """
        if decode_message(payload, Probe) == Probe(session=self._session, nonce=self._nonce):
            self.proved = True
        return self.proved

    def heard_status(self, connection: Connection, payload: bytes, *, retained: bool) -> None:
        """Contradict a will that came late: of an earlier process, or of our last connection.

        Raises:
            BrokerError: Another process says that it is this device.
            MessageError: It is no status.
        """
        status = decode_message(payload, Status)
        if retained:
            return  # the state before ours
        if status.state == "offline":
            self.say_online(connection)
        elif status.session != self._session:
            raise BrokerError(
                f"another process publishes as {self._topics.site}.{self._topics.device}",
                hint="give every device a name of its own",
            )

    def silence(self, timeout_s: float) -> BrokerError:
        """What it means that the probe did not come back."""
        topics, who = self._topics, self._who
        return BrokerError(
            f"what device {topics.site}.{topics.device} publishes to {topics.probe} as {who} does not come "
            f"back within {timeout_s:g} s; alerts wait",
            hint=f"the broker's rules must let {who} write and read {topics.base}/up/#; for mosquitto: "
            f"'topic readwrite {topics.base}/up/#'. Or it limits messages to less than {ALERT_MAX_BYTES} "
            "bytes",
        )

    def _status(self, state: Literal["online", "offline"]) -> bytes:
        topics = self._topics
        return encode_message(
            Status(state=state, device=topics.device, site=topics.site, session=self._session)
        )
