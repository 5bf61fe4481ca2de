"""Where in a source we are, without drift, whatever rates its parts have."""

from __future__ import annotations

import math

__all__ = ["Timeline"]


class Timeline:
    """Counts sound and gaps at their own rates, and tells the position at the model's.

    Args:
        sample_rate_hz: The model's rate.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._sample_rate_hz = sample_rate_hz
        # Seconds at the rates before this one, as an exact fraction, and samples at this one. Whole numbers:
        # positions are asked for at every block.
        self._before = (0, 1)
        self._samples = 0
        self._rate_hz = sample_rate_hz

    @property
    def position(self) -> int:
        """Whole samples at the model's rate that have passed since the start."""
        seconds, parts = self._exact()
        return seconds * self._sample_rate_hz // parts

    @property
    def nearest(self) -> int:
        """The sample at the model's rate that is nearest to now, the even one of two as near.

        Sound after a gap begins there.
        """
        seconds, parts = self._exact()
        whole, rest = divmod(seconds * self._sample_rate_hz, parts)
        return whole + (2 * rest > parts or (2 * rest == parts and whole % 2))

    def advance(self, samples: int, rate_hz: int) -> None:
        """Let so many samples at ``rate_hz`` pass."""
        if rate_hz != self._rate_hz:
            seconds, parts = self._exact()
            common = math.gcd(seconds, parts)
            self._before = (seconds // common, parts // common)
            self._samples, self._rate_hz = 0, rate_hz
        self._samples += samples

    def _exact(self) -> tuple[int, int]:
        """Seconds since the start as an exact fraction: numerator and denominator."""
        seconds, parts = self._before
        return seconds * self._rate_hz + self._samples * parts, parts * self._rate_hz
