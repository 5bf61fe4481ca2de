"""systemd, as far as it listens to what it has started."""

from __future__ import annotations

import contextlib
import socket

__all__ = ["Systemd"]


class Systemd:
    """The receiving end of ``$NOTIFY_SOCKET``."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._socket.settimeout(120)

    def environment(self, timeout_s: float | None = None) -> dict[str, str]:
        watchdog = {} if timeout_s is None else {"WATCHDOG_USEC": str(round(timeout_s * 1e6))}
        return {"NOTIFY_SOCKET": self.address, **watchdog}

    def heard(self) -> dict[str, str]:
        """The next datagram."""
        lines = self._socket.recv(4096).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def until(self, name: str) -> list[dict[str, str]]:
        """Datagrams up to the one with that assignment."""
        heard = [self.heard()]
        while name not in heard[-1]:
            heard.append(self.heard())
        return heard

    def nothing_more(self) -> bool:
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self._socket.recv(4096)
            return False
        return True

    def close(self) -> None:
        self._socket.close()
