"""The level of a window is that of its samples, whatever was kept of the windows before it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge_sdk.signal.level import SlidingLevel


@pytest.mark.parametrize(
    ("window_samples", "step_samples"), [(1000, 250), (975, 250), (700, 400), (30_000, 30_000)]
)
def test_each_window_has_the_level_of_its_own_samples(window_samples: int, step_samples: int) -> None:
    generator = np.random.default_rng(0)
    loudness = np.repeat(10.0 ** -np.arange(8), window_samples)
    sound = (loudness * generator.standard_normal(8 * window_samples)).astype(np.float32)
    level = SlidingLevel(window_samples, step_samples)
    for start in range(0, len(sound) - window_samples + 1, step_samples):
        window = sound[start : start + window_samples]
        power = float(np.mean(np.square(window, dtype=np.float64)))
        assert level.dbfs(window) == pytest.approx(10 * math.log10(power), abs=1e-4)


def test_sound_before_a_reset_is_forgotten() -> None:
    level = SlidingLevel(1000, 250)
    level.dbfs(np.ones(1000, dtype=np.float32))
    level.reset()
    assert level.dbfs(np.zeros(1000, dtype=np.float32)) == -math.inf
