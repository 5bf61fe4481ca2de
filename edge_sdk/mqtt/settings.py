"""Which broker, as whom, and whom to believe."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigError

__all__ = ["PASSWORD_VARIABLE", "USER_VARIABLE", "BrokerSettings"]

USER_VARIABLE = "EDGE_SDK_MQTT_USER"
PASSWORD_VARIABLE = "EDGE_SDK_MQTT_PASSWORD"  # noqa: S105 - the name of a variable

_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}
_SECRET_HINT = (
    f"a command line can be read by everyone on the machine: set {USER_VARIABLE} and {PASSWORD_VARIABLE}, "
    "or name a password file"
)


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """All that it takes to connect. The password is never shown.

    Attributes:
        host: Name or address.
        port: TCP port.
        tls: Whether the connection is encrypted and the broker's certificate checked.
        user: User name, or ``None``.
        password: Password, or ``None``.
        ca: PEM file of the authorities to believe; without it, the system's.
        cert: PEM file of our own certificate, where the broker asks for one.
        key: PEM file of its private key.
        keepalive_s: The broker drops a silent connection after one and a half times this.
        connect_timeout_s: How long one attempt to connect may take.
    """

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    keepalive_s: int = 60
    connect_timeout_s: float = 15.0

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        user: str | None = None,
        password_file: Path | None = None,
        ca: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> BrokerSettings:
        """Read ``mqtt://host[:port]`` (1883) or ``mqtts://host[:port]`` (TLS, 8883).

        Args:
            url: Address of the broker, without a user or a password.
            user: Goes before ``EDGE_SDK_MQTT_USER``.
            password_file: Its first line goes before ``EDGE_SDK_MQTT_PASSWORD``.
            ca: PEM file of the authorities to believe.
            cert: PEM file of our certificate; needs ``key``.
            key: PEM file of its private key.
            environment: Where the two variables are read; the process's own without it.

        Raises:
            ConfigError: The address does not hold, a file cannot be read, or certificates are given
                without TLS.
        """
        parts = _split(url)
        tls = parts.scheme == "mqtts"
        _check_certificates(url, tls=tls, ca=ca, cert=cert, key=key)
        variables = os.environ if environment is None else environment
        name = user or variables.get(USER_VARIABLE) or None
        password = _first_line(password_file) if password_file else variables.get(PASSWORD_VARIABLE) or None
        if password is not None and name is None:
            raise ConfigError(
                "there is a password for the broker, but no user",
                hint=f"set {USER_VARIABLE}, or name the user in the configuration",
            )
        return cls(
            host=parts.hostname or "",
            port=parts.port or _DEFAULT_PORTS[parts.scheme],
            tls=tls,
            user=name,
            password=password,
            ca=ca,
            cert=cert,
            key=key,
        )

    @property
    def address(self) -> str:
        """The broker as a person names it; for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    @property
    def name(self) -> str:
        """Which broker this is, over TLS or not: its host, and its port unless that is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = _DEFAULT_PORTS["mqtts" if self.tls else "mqtt"]
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def who(self) -> str:
        """As whom we connect; for messages."""
        if self.user is not None:
            return f"user '{self.user}'"
        return (
            "a client without a user name" if self.cert is None else f"the owner of certificate {self.cert}"
        )

    @property
    def exposure(self) -> str | None:
        """What others on the way can read and should not, in a sentence; ``None`` where that is nothing."""
        if self.tls or self.user is None or _is_this_machine(self.host):
            return None
        secret = "the user name goes" if self.password is None else "user name and password go"
        return f"{secret} to {self.address} unencrypted, and whoever listens on the way can use them"

    def ssl_context(self) -> ssl.SSLContext | None:
        """Whom to believe and who we are; ``None`` without TLS.

        Raises:
            ConfigError: A file holds no certificate or key, or the two do not belong together.
        """
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            files = ", ".join(str(path) for path in (self.ca, self.cert, self.key) if path)
            raise ConfigError(f"the TLS files do not hold ({files}): {error}") from error
        return context


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")


def _split(url: str) -> SplitResult:
    example = "write mqtt://host:port, or mqtts://host:port for TLS"
    if "@" in url:  # wherever it stands: what is misspelt holds the password, too
        raise ConfigError("the address of the broker holds a user or a password", hint=_SECRET_HINT)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError("the port in the broker's address does not hold", hint=example) from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise ConfigError(f"'{url}' is not the address of an MQTT broker", hint=example)
    if not parts.hostname:
        raise ConfigError(f"'{url}' names no host", hint=example)
    if port == 0:
        raise ConfigError(f"'{url}' names port 0", hint=example)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(f"'{url}' holds more than host and port", hint=example)
    return parts


def _check_certificates(url: str, *, tls: bool, ca: Path | None, cert: Path | None, key: Path | None) -> None:
    if not tls and (ca or cert or key):
        raise ConfigError(
            f"certificates are given, but {url} is not encrypted",
            hint="write mqtts:// instead of mqtt://",
        )
    if (cert is None) != (key is None):
        raise ConfigError("a certificate and its private key belong together", hint="give both cert and key")
    for what, path in (("ca", ca), ("cert", cert), ("key", key)):
        if path is not None:
            _read(path, what)


def _first_line(path: Path) -> str:
    lines = _read(path, "password_file").splitlines()
    if not lines or not lines[0]:
        raise ConfigError(f"the password file {path} is empty")
    return lines[0]


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read {what} {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"cannot read {what} {path}: it is not text in UTF-8") from error
