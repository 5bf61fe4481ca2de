"""Telling systemd that the device listens: datagrams as ``sd_notify(3)`` describes them.

``WATCHDOG=1`` is sent by the thread that inspects, right after it has scored a window, and by nothing
else. So a library that hangs, a microphone that delivers nothing, or windows that all fail end in a restart:
no thread beside them can say that all is well.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping

from msgspec import Struct

__all__ = ["ServiceManager", "Watchdog", "WatchdogConfig"]

_logger = logging.getLogger(__name__)

_MICROSECONDS = 1_000_000
_BEATS_IN_TIMEOUT = 4
_WINDOWS_IN_TIMEOUT = 4
_STATUS_EVERY_S = 30.0


class WatchdogConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is told to systemd, where it has started us.

    Attributes:
        notify: Whether anything is.
        timeout_s: How long nothing may be inspected until it restarts us; by default its own
            ``WatchdogSec``.
    """

    notify: bool = True
    timeout_s: float | None = None

    def __post_init__(self) -> None:
        if self.timeout_s is not None and not self.timeout_s > 0:
            raise ValueError("timeout_s must be more than 0 seconds")


class ServiceManager:
    """The other end of ``$NOTIFY_SOCKET``.

    What cannot be sent is logged once, and changes nothing: a device must not stop because nobody watches.

    Args:
        address: Path of the socket, or ``@`` and a name in the abstract namespace.
        timeout_s: Its ``WatchdogSec``; None where it has none.
    """

    def __init__(self, address: str, timeout_s: float | None) -> None:
        self.timeout_s = timeout_s
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._told_failure = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> ServiceManager | None:
        """Who has started us; None where nobody wants to hear."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return None
        microseconds = 0
        if environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
            with contextlib.suppress(ValueError):
                microseconds = int(environment.get("WATCHDOG_USEC", ""))
        return cls(address, microseconds / _MICROSECONDS if microseconds > 0 else None)

    def tell(self, **assignments: object) -> None:
        """Send one datagram of assignments, such as ``READY=1``."""
        lines = (f"{name}={' '.join(str(value).splitlines())}" for name, value in assignments.items())
        text = "\n".join(lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
                sending.sendto(text.encode(errors="replace"), self._address)
        except OSError as error:
            if not self._told_failure:
                self._told_failure = True
                _logger.warning("systemd cannot be told that the device works: %s", error.strerror or error)


class Watchdog:
    """Says when the device is ready, that it inspects, and that it ends.

    Args:
        manager: Who is told; None for nobody.
        config: What is told.
        window_s: Length of the model's window: the first one cannot be inspected sooner.
        clock: Seconds, from any beginning.
    """

    def __init__(
        self,
        manager: ServiceManager | None,
        config: WatchdogConfig,
        *,
        window_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._manager = manager if config.notify else None
        self._clock = clock
        self._describe: Callable[[], str] = str
        wanted = config.timeout_s or (manager.timeout_s if manager else None)
        self._timeout_s = wanted
        if wanted is not None and wanted < 2 * window_s:
            self._timeout_s = _WINDOWS_IN_TIMEOUT * window_s
            _logger.warning(
                "a watchdog of %g s is shorter than two windows of %g s: it is set to %g s",
                wanted,
                window_s,
                self._timeout_s,
            )
        every_s = _STATUS_EVERY_S if self._timeout_s is None else self._timeout_s / _BEATS_IN_TIMEOUT
        self._every_s = min(_STATUS_EVERY_S, every_s)
        self._told_at = clock()

    def ready(self, describe: Callable[[], str]) -> None:
        """Say that listening begins.

        Args:
            describe: Gives the line that ``systemctl status`` shows, now and with each sign of life.
        """
        self._describe = describe
        self._told_at = self._clock()
        if self._manager is None:
            return
        told: dict[str, object] = {"READY": 1, "STATUS": describe()}
        if self._timeout_s is not None and self._timeout_s != self._manager.timeout_s:
            told["WATCHDOG_USEC"] = round(self._timeout_s * _MICROSECONDS)
        self._manager.tell(**told)

    def inspected(self, _: object = None) -> None:
        """Take note that a window was scored; called for each, told now and then."""
        if self._manager is None:
            return
        now = self._clock()
        if now - self._told_at >= self._every_s:
            self._told_at = now
            self._manager.tell(WATCHDOG=1, STATUS=self._describe())

    def status(self, text: str) -> None:
        """Say what is being done, before it listens."""
        if self._manager is not None:
            self._manager.tell(STATUS=text)

    def stopping(self, why: str) -> None:
        """Say that the end begins: what is open is closed, and delivered."""
        if self._manager is not None:
            self._manager.tell(STOPPING=1, STATUS=f"ending: {why}")
