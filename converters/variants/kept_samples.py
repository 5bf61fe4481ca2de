"""Some of the calibration tensors, kept to measure on them what an integer model gets wrong."""

from __future__ import annotations

from edge_sdk.contract.values import Array

__all__ = ["MOST_SAMPLES", "ThinnedSamples"]

MOST_SAMPLES = 64
"""Calibration tensors that are kept."""


class ThinnedSamples:
    """Keeps an even choice of a sequence whose length is not known beforehand.

    Args:
        most: How many at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._step = 1
        self._seen = 0
        self.kept: list[Array] = []

    def add(self, tensor: Array) -> None:
        """Take the next one."""
        if self._seen % self._step == 0:
            self.kept.append(tensor.copy())
            if len(self.kept) > self._most:
                del self.kept[1::2]
                self._step *= 2
        self._seen += 1
