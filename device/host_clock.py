"""What this machine knows about time: which boot it is, how long it is up, whether its clock is right."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Protocol
from uuid import uuid4

__all__ = ["HostClock", "SystemHostClock"]

_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIMEX_BYTES = 1024  # struct timex is 208 bytes on 64-bit Linux; room for any that grows
_ASK_EVERY_S = 10.0
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


class HostClock(Protocol):
    """Where the stamper reads time from."""

    @property
    def boot_id(self) -> str:
        """The same until the machine boots again."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""

    def uptime_s(self) -> float:
        """Seconds since boot, sleep included where the system tells."""

    def synced(self) -> bool:
        """Whether wall time was in step with the world's."""


class SystemHostClock:
    """The clock of the machine that this runs on."""

    def __init__(self) -> None:
        self._synced = False
        self._ask_again_at = 0.0

    @cached_property
    def boot_id(self) -> str:
        """Linux's and macOS's own id; elsewhere one made up for this process."""
        if _LINUX_BOOT_ID.exists():
            return _LINUX_BOOT_ID.read_text(encoding="ascii").strip()
        if sys.platform == "darwin":
            command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
            if answer.returncode == 0 and answer.stdout.strip():
                return answer.stdout.strip().lower()
        return str(uuid4())

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        return datetime.now(timezone.utc)

    def uptime_s(self) -> float:
        """Seconds since boot; on Linux the time asleep counts."""
        if sys.platform == "linux":
            return time.clock_gettime(time.CLOCK_BOOTTIME)
        return time.monotonic()

    def synced(self) -> bool:
        """Whether the kernel said, within the last 10 s, that its clock is disciplined.

        Only Linux can be asked (``adjtimex(2)``); elsewhere the answer is False, for a clock that
        nobody vouches for is not to be trusted.
        """
        now = time.monotonic()
        if now >= self._ask_again_at:
            self._ask_again_at = now + _ASK_EVERY_S
            self._synced = 0 <= self._ask_kernel() < _TIME_ERROR
        return self._synced

    @cached_property
    def _ask_kernel(self) -> Callable[[], int]:
        if sys.platform != "linux":
            return lambda: _TIME_ERROR
        import ctypes

        adjtimex = ctypes.CDLL(None).adjtimex
        request = ctypes.create_string_buffer(_TIMEX_BYTES)

        def ask() -> int:
            ctypes.memset(request, 0, 4)  # `modes`: nothing is to be set, only read
            return int(adjtimex(request))

        return ask
