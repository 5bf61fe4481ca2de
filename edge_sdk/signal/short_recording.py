"""Recordings that are shorter than one window: a shot cut out tightly can still be scored."""

from __future__ import annotations

import numpy as np

from ..contract.values import AudioBlock

__all__ = ["silence_after"]


def silence_after(
    heard: int, source_rate_hz: int, window_samples: int, model_rate_hz: int
) -> AudioBlock | None:
    """The silence that fills a short recording up to one window.

    Args:
        heard: How long the recording is, in samples at ``source_rate_hz``.
        source_rate_hz: The recording's rate.
        window_samples: Length of the model's window, in samples at ``model_rate_hz``.
        model_rate_hz: The model's rate.

    Returns:
        ``None`` where the recording fills a window by itself.
    """
    if heard * model_rate_hz >= window_samples * source_rate_hz:
        return None
    # Two samples more than the window lasts, so that resampling cannot end one short.
    missing = -(-window_samples * source_rate_hz // model_rate_hz) + 2 - heard
    return AudioBlock(np.zeros(missing, dtype=np.float32), source_rate_hz)
