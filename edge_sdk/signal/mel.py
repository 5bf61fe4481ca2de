"""Mel filterbanks.

The bands are triangles whose corners are equidistant on a mel scale. Two scales are
in use:

- *HTK*: ``2595 log10(1 + f / 700)`` (Young et al., The HTK Book, section 5.4,
  "Filterbank Analysis").
- *Slaney*: linear at 3 mel per 200 Hz up to 1 kHz, above it 27 mel for each factor of
  6.4 (Slaney, Auditory Toolbox: A MATLAB Toolbox for Auditory Modeling Work,
  Version 2, Interval Research Corporation technical report 1998-010, ``mfcc.m``). The
  same function divides each triangle by its width in hertz, so that all of them pass
  the same energy of white noise: the norm ``slaney``.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..contract.audio import LogMel

__all__ = ["hz_to_mel", "mel_filters", "mel_to_hz"]

MelScale: TypeAlias = Literal["slaney", "htk"]
_Float64: TypeAlias = npt.NDArray[np.float64]

_HTK_FACTOR = 2595.0
_HTK_BREAK_HZ = 700.0

_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_BREAK_MEL = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = math.log(6.4) / 27.0


def hz_to_mel(frequencies_hz: npt.ArrayLike, scale: MelScale) -> _Float64:
    """Convert frequencies to mel.

    Args:
        frequencies_hz: Frequencies in hertz, not negative, of any shape.
        scale: ``slaney`` or ``htk``.
    """
    hz = np.asarray(frequencies_hz, dtype=np.float64)
    if scale == "htk":
        return np.asarray(_HTK_FACTOR * np.log10(1.0 + hz / _HTK_BREAK_HZ))
    above = np.log(np.maximum(hz, _SLANEY_BREAK_HZ) / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return np.where(hz < _SLANEY_BREAK_HZ, hz / _SLANEY_HZ_PER_MEL, _SLANEY_BREAK_MEL + above)


def mel_to_hz(mels: npt.ArrayLike, scale: MelScale) -> _Float64:
    """Convert mel to frequencies in hertz: the inverse of :func:`hz_to_mel`."""
    mel = np.asarray(mels, dtype=np.float64)
    if scale == "htk":
        return np.asarray(_HTK_BREAK_HZ * (10.0 ** (mel / _HTK_FACTOR) - 1.0))
    above = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * np.maximum(mel - _SLANEY_BREAK_MEL, 0.0))
    return np.where(mel < _SLANEY_BREAK_MEL, mel * _SLANEY_HZ_PER_MEL, above)


def mel_filters(front_end: LogMel) -> npt.NDArray[np.float32]:
    """The matrix that turns one spectrum into mel bands.

    Equal to ``librosa.filters.mel`` (``mel_triangles="hertz"``) and to
    ``tf.signal.linear_to_mel_weight_matrix`` (``mel_triangles="mel"``, HTK, no norm).
    A band narrower than the distance of two FFT bins can be empty: its row is zero.

    Returns:
        float32 ``[n_mels, 1 + n_fft // 2]``.
    """
    bins_hz = np.arange(front_end.n_fft // 2 + 1, dtype=np.float64) * (
        front_end.sample_rate_hz / front_end.n_fft
    )
    corners_mel = np.linspace(
        hz_to_mel(front_end.fmin_hz, front_end.mel_scale),
        hz_to_mel(front_end.fmax_hz, front_end.mel_scale),
        front_end.n_mels + 2,
    )
    corners_hz = mel_to_hz(corners_mel, front_end.mel_scale)
    if front_end.mel_triangles == "mel":
        filters = _triangles(hz_to_mel(bins_hz, front_end.mel_scale), corners_mel)
    else:
        filters = _triangles(bins_hz, corners_hz)
    if front_end.mel_norm == "slaney":
        filters *= (2.0 / (corners_hz[2:] - corners_hz[:-2]))[:, np.newaxis]
    return filters.astype(np.float32)


def _triangles(bins: _Float64, corners: _Float64) -> _Float64:
    """Triangles of height 1 over three neighbouring corners each, sampled at the bins."""
    left, peak, right = (corner[:, np.newaxis] for corner in (corners[:-2], corners[1:-1], corners[2:]))
    rising = (bins - left) / (peak - left)
    falling = (right - bins) / (right - peak)
    return np.maximum(0.0, np.minimum(rising, falling))
