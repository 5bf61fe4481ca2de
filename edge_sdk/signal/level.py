"""How loud successive windows are."""

from __future__ import annotations

import math
from collections import deque
from itertools import pairwise

from ..contract.values import Float32Array

__all__ = ["SlidingLevel"]

_DOT_SAMPLES = 8_192  # OpenBLAS splits longer dot products between threads


class SlidingLevel:
    """The level of windows that lie one step apart.

    The energy of what is new in a window is computed once and kept for all windows that it is part of, so
    that sound which has left the processor's cache is not read again. A window need not be a whole number
    of steps: what is new in it is kept in two parts, and the next window begins between them.

    Args:
        window_samples: Length of a window.
        step_samples: Samples from the start of one window to the next, at most a window.
    """

    def __init__(self, window_samples: int, step_samples: int) -> None:
        self._length = window_samples
        rest, stop = window_samples % step_samples, window_samples + 1
        # Where this window, the ones before and the ones after begin and end.
        self._cuts = sorted({*range(0, stop, step_samples), *range(rest, stop, step_samples)})
        self._new = self._cuts[-3:] if rest else self._cuts[-2:]
        self._energies: deque[float] = deque(maxlen=len(self._cuts) - 1)

    def dbfs(self, window: Float32Array) -> float:
        """Root mean square level of the next window, in dB relative to 1; -inf for silence.

        Args:
            window: Shape ``[window_samples]``.
        """
        cuts = self._new if self._energies else self._cuts
        for start, stop in pairwise(cuts):
            self._energies.append(_energy(window[start:stop]))
        energy = sum(self._energies)
        return 10.0 * math.log10(energy / self._length) if energy > 0.0 else -math.inf

    def reset(self) -> None:
        """Forget all sound: the next window is the first."""
        self._energies.clear()


def _energy(samples: Float32Array) -> float:
    """Sum of the squares."""
    energy = 0.0
    for start in range(0, len(samples), _DOT_SAMPLES):
        part = samples[start : start + _DOT_SAMPLES]
        energy += float(part.dot(part))
    return energy
