"""Calibration tensors that are kept: all that fit, for the next quantizer, and some, to measure errors on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from edge_sdk.contract.values import Array

__all__ = ["MOST_SAMPLES", "Remembered", "ThinnedSamples", "half_of"]

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


def half_of(index: int) -> int:
    """0 or 1: which half a tensor belongs to, so that both halves have about as many of every stretch.

    It is the parity of the ones in binary, which is the same for twice a number: what :class:`ThinnedSamples`
    keeps, every second tensor or every fourth, is halved so, too, and its place among the kept ones tells.
    """
    return index.bit_count() & 1


_MOST_BYTES = 128 * 2**20
"""Of tensors that are remembered; a picture of 224 pixels is 0.6 MB of float32."""


class Remembered:
    """Calibration tensors that are made once where all of them fit into little memory, else each time.

    Args:
        calibration: Makes them.
        most_bytes: How much to keep.
    """

    def __init__(self, calibration: Callable[[], Iterable[Array]], most_bytes: int = _MOST_BYTES) -> None:
        self._calibration = calibration
        self._most_bytes = most_bytes
        self._kept: list[Array] | None = None

    def __call__(self) -> Iterator[Array]:
        """The tensors, the same each time."""
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Array] | None = []
        size = 0
        for tensor in self._calibration():
            size += tensor.nbytes
            if size > self._most_bytes:
                kept = None
            if kept is not None:
                kept.append(tensor.copy())
            yield tensor
        self._kept = kept
