"""What went wrong with a connection, in words that say what to do."""

from __future__ import annotations

import socket
import ssl

from ..errors import BrokerError
from .settings import PASSWORD_VARIABLE, USER_VARIABLE, BrokerSettings

__all__ = ["broken", "mute", "refused", "refused_subscriptions", "unreachable"]

# CONNACK return codes of MQTT 3.1.1, section 3.2.2.3.
_REFUSALS: dict[int, tuple[str, str]] = {
    1: ("it does not speak MQTT 3.1.1", "use a broker that does"),
    2: ("it does not accept our client id", "see the broker's rules for client ids"),
    3: ("it is not available", "see the broker's log"),
    4: (
        "wrong user name or password",
        f"check {USER_VARIABLE} and {PASSWORD_VARIABLE}, or the password file",
    ),
    5: ("not authorized", f"check {USER_VARIABLE} and {PASSWORD_VARIABLE}, or the certificate"),
}


def unreachable(settings: BrokerSettings, error: Exception) -> BrokerError:
    """An attempt that did not get as far as MQTT."""
    if isinstance(error, socket.gaierror):
        return BrokerError(
            f"the host name '{settings.host}' of the broker cannot be resolved",
            hint="check its spelling, and that this machine has a name server",
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return BrokerError(
            f"the certificate of {settings.address} is not to be trusted: {error.verify_message}",
            hint="name the authority that signed it with ca, and connect by the name it is made out to",
        )
    if isinstance(error, ssl.SSLError):
        return BrokerError(
            f"{settings.address} does not agree on TLS: {error.reason or error}",
            hint="is this the broker's TLS port, and does it know our certificate?",
        )
    if isinstance(error, TimeoutError):
        return BrokerError(
            f"{settings.address} did not answer within {settings.connect_timeout_s:g} s",
            hint="check the address, the link and the firewall",
        )
    if isinstance(error, ConnectionRefusedError):
        return BrokerError(
            f"nothing listens on {settings.address}", hint="check the port, and that the broker is running"
        )
    return BrokerError(
        f"{settings.address} cannot be reached: {error}", hint="check the address and the link"
    )


def mute(settings: BrokerSettings) -> BrokerError:
    """A server that takes the connection and does not answer our login."""
    return BrokerError(
        f"{settings.address} takes the connection, but did not answer the login "
        f"within {settings.connect_timeout_s:g} s",
        hint="is this an MQTT broker, and is it well?",
    )


def refused(settings: BrokerSettings, code: int) -> BrokerError:
    """A CONNACK with a return code other than 0."""
    words, hint = _REFUSALS.get(code, (f"return code {code}", "see the broker's log"))
    return BrokerError(f"the broker {settings.address} refuses us: {words}", hint=hint)


def refused_subscriptions(settings: BrokerSettings, filters: list[str]) -> BrokerError:
    """A SUBACK with failures."""
    lines = ", ".join(f"'topic read {name}'" for name in filters)
    return BrokerError(
        f"the broker {settings.address} refuses {settings.who} the subscription to {', '.join(filters)}",
        hint=f"its rules must let {settings.who} read there; for mosquitto: {lines}",
    )


def broken(settings: BrokerSettings, *, stood: bool, reason: str) -> BrokerError:
    """A connection that ended, before or after it stood."""
    if stood:
        return BrokerError(f"the connection to {settings.address} broke: {reason}")
    # With TLS 1.3 a client learns of its certificate's refusal only by the end of the connection.
    if settings.cert:
        hint = "is our certificate known there, and not revoked?"
    elif settings.tls:
        hint = "is this an MQTT broker?"
    else:
        hint = "is this an MQTT broker? A port for TLS wants mqtts://"
    return BrokerError(f"{settings.address} closed the connection while we logged in: {reason}", hint=hint)
