"""Where in a source we are, without drift, whatever rates its parts have."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["Timeline"]


class Timeline:
    """Counts sound and gaps at their own rates, and tells the position at the model's.

    Args:
        sample_rate_hz: The model's rate.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._sample_rate_hz = sample_rate_hz
        self._before = Fraction(0)
        self._samples = 0
        self._rate_hz = sample_rate_hz

    @property
    def position(self) -> int:
        """Whole samples at the model's rate that have passed since the start."""
        return int(self._exact())

    @property
    def nearest(self) -> int:
        """The sample at the model's rate that is nearest to now: where sound after a gap begins."""
        return round(self._exact())

    def advance(self, samples: int, rate_hz: int) -> None:
        """Let so many samples at ``rate_hz`` pass."""
        if rate_hz != self._rate_hz:
            self._before += Fraction(self._samples, self._rate_hz)
            self._samples, self._rate_hz = 0, rate_hz
        self._samples += samples

    def _exact(self) -> Fraction:
        return (self._before + Fraction(self._samples, self._rate_hz)) * self._sample_rate_hz
