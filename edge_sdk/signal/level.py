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
        cuts = sorted({*range(0, stop, step_samples), *range(rest, stop, step_samples)})
        self._all = _parts(cuts)
        self._new = _parts(cuts[-3:] if rest else cuts[-2:])
        self._energies: deque[float] = deque(maxlen=len(self._all))

    def dbfs(self, window: Float32Array) -> float:
        """Root mean square level of the next window, in dB relative to 1; -inf for silence.

        Args:
            window: Shape ``[window_samples]``.
        """
        energies = self._energies
        for part in self._new if energies else self._all:
            samples = window[part]
            energies.append(float(samples.dot(samples)))
        energy = sum(energies)
        return 10.0 * math.log10(energy / self._length) if energy > 0.0 else -math.inf

    def reset(self) -> None:
        """Forget all sound: the next window is the first."""
        self._energies.clear()


def _parts(cuts: list[int]) -> list[slice]:
    """What lies between the cuts, none of it too long for one dot product."""
    return [
        slice(begin, min(begin + _DOT_SAMPLES, stop))
        for start, stop in pairwise(cuts)
        for begin in range(start, stop, _DOT_SAMPLES)
    ]
