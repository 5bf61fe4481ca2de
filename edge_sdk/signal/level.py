"""How loud successive windows are."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from ..contract.values import Float32Array

__all__ = ["SlidingLevel"]

_DOT_SAMPLES = 8_192  # OpenBLAS splits longer dot products between threads


class SlidingLevel:
    """The level of windows that lie one step apart.

    A window is cut from its end into steps, whose energy is computed once and kept for all windows
    that they are part of; only the rest at its beginning is looked at again.

    Args:
        window_samples: Length of a window.
        step_samples: Samples from the start of one window to the next, at most a window.
    """

    def __init__(self, window_samples: int, step_samples: int) -> None:
        self._length = window_samples
        self._step = step_samples
        self._steps = window_samples // step_samples
        self._energies: deque[float] = deque(maxlen=self._steps)

    def dbfs(self, window: Float32Array) -> float:
        """Root mean square level of the next window, in dB relative to 1; -inf for silence.

        Args:
            window: Shape ``[window_samples]``.
        """
        new = 1 if self._energies else self._steps
        for start in range(self._length - new * self._step, self._length, self._step):
            self._energies.append(_energy(window[start : start + self._step]))
        energy = _energy(window[: self._length % self._step]) + sum(self._energies)
        return 10.0 * math.log10(energy / self._length) if energy > 0.0 else -math.inf

    def reset(self) -> None:
        """Forget all sound: the next window is the first."""
        self._energies.clear()


def _energy(samples: Float32Array) -> float:
    """Sum of the squares."""
    energy = 0.0
    for start in range(0, len(samples), _DOT_SAMPLES):
        part = samples[start : start + _DOT_SAMPLES]
        energy += float(np.dot(part, part))
    return energy
