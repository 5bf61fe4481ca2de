"""Event ids: UUIDs of version 7, so that a database keeps them in the order of their making.

Source: RFC 9562, section 5.7, with the monotonic random of section 6.2, method 2. Python has it
in its standard library from 3.14 on.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

__all__ = ["EventIds"]

_RANDOM_BITS = 74
_RANDOM_B_BITS = 62
_VERSION = 7
_VARIANT = 0b10


class EventIds:
    """Makes ids that rise, even within one millisecond and when the clock is set back.

    Args:
        now_ns: Nanoseconds since 1970, UTC.
    """

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self._now_ns = now_ns
        self._lock = threading.Lock()
        self._millisecond = -1
        self._random = 0

    def next(self) -> str:
        """A new id, in the usual 36 characters."""
        with self._lock:
            millisecond = self._now_ns() // 1_000_000
            if millisecond > self._millisecond:
                self._millisecond = millisecond
                # The top bit is left free, so that counting on cannot overflow within a millisecond.
                self._random = secrets.randbits(_RANDOM_BITS - 1)
            else:
                self._random += 1
            return _uuid7(self._millisecond, self._random)


def _uuid7(millisecond: int, random: int) -> str:
    """Spelt out here, without the standard library's class, whose checks take longer than all else."""
    random_a, random_b = random >> _RANDOM_B_BITS, random & ((1 << _RANDOM_B_BITS) - 1)
    number = millisecond << 80 | _VERSION << 76 | random_a << 64 | _VARIANT << 62 | random_b
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
