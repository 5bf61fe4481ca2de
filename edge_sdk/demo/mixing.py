"""Putting a recorded sound into a recorded background at a stated ratio."""

from __future__ import annotations

import numpy as np

from ..contract.values import Float32Array

__all__ = ["add_at", "loop_to", "rms"]


def rms(samples: Float32Array) -> float:
    """Root mean square of samples at full scale 1.0; 0 for none."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


def loop_to(sound: Float32Array, length: int, crossfade: int) -> Float32Array:
    """Repeat a loopable sound to ``length`` samples, cross-fading each seam so that it does not click.

    Args:
        sound: Mono, shape ``[n]`` with n > 2 * crossfade.
        length: Samples wanted.
        crossfade: Samples that overlap at a seam.
    """
    fade = np.linspace(0.0, 1.0, crossfade, dtype=np.float32)
    looped = np.zeros(length + sound.size, np.float32)
    position = 0
    while position < length:
        piece = sound.copy()
        piece[-crossfade:] *= fade[::-1]
        if position:
            piece[:crossfade] *= fade
        looped[position : position + sound.size] += piece
        position += sound.size - crossfade
    return looped[:length]


def add_at(background: Float32Array, sound: Float32Array, start: int, snr_db: float) -> None:
    """Add ``sound`` to ``background`` in place, at a power ratio to the background beneath it.

    Args:
        background: Mono, shape ``[n]``.
        sound: Mono, at the same rate; what runs over the end is cut.
        start: First sample.
        snr_db: Power of the sound over power of the whole background, in dB.
    """
    piece = sound[: max(0, background.size - start)]
    level = rms(piece)
    if level > 0.0:
        gain = rms(background) * 10.0 ** (snr_db / 20.0) / level
        background[start : start + piece.size] += np.float32(gain) * piece
