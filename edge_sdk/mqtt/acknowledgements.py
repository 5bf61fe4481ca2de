"""Which acknowledgement belongs to which publish, whatever comes first."""

from __future__ import annotations

import threading

__all__ = ["Acknowledgements"]


class Acknowledgements:
    """Pairs packet ids with tokens.

    The network thread may see the acknowledgement before ``publish()`` has told its caller the packet
    id. A lock held across ``publish()`` would end in a deadlock with paho's own; so whoever comes
    second finds what the first has left.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[int, int | None] = {}
        self._early: set[int] = set()

    def sent(self, packet_id: int, token: int | None) -> bool:
        """Note a publish; whether its acknowledgement has come already."""
        with self._lock:
            if packet_id in self._early:
                self._early.remove(packet_id)
                return True
            self._waiting[packet_id] = token
            return False

    def acknowledged(self, packet_id: int) -> int | None:
        """Note an acknowledgement; its token, where the publish is known and has one."""
        with self._lock:
            if packet_id in self._waiting:
                return self._waiting.pop(packet_id)
            self._early.add(packet_id)
            return None
