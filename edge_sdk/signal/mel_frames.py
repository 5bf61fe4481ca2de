"""The two halves of a log-mel spectrogram: what looks at one frame, and what looks at a window.

Kept apart so that a stream can compute each frame once and finish every window that
it is part of.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..contract.audio import LogMel, frame_count
from ..contract.values import Float32Array
from .mel import mel_filters

__all__ = ["Float64Array", "MelFrames", "finish_window", "frame_view"]

Float64Array: TypeAlias = npt.NDArray[np.float64]

_RFFT_HAS_OUT = int(np.__version__.split(".")[0]) >= 2
# Frames are transformed in batches whose workspace stays inside a level-2 cache.
_BATCH_VALUES = 65_536
# Neighbouring bands that are multiplied as one dense block, since a band is zero outside few
# bins; small enough that OpenBLAS stays on the calling thread.
_BANDS_PER_BLOCK = 32
_CACHE_LINE_BYTES = 64


def frame_view(samples: Float64Array, count: int, length: int, hop: int) -> Float64Array:
    """Overlapping frames of a contiguous array, without a copy.

    Args:
        samples: Float64, shape ``[n]``, contiguous.
        count: Number of frames; the last must end inside ``samples``.
        length: Samples of a frame.
        hop: Samples from one frame to the next.

    Returns:
        A view of shape ``[count, length]`` that follows later changes of ``samples``.
    """
    size = samples.itemsize
    return np.ndarray((count, length), np.float64, buffer=samples.data, strides=(hop * size, size))


class MelFrames:
    """Logarithm of the mel spectrum of frames; no frame depends on another.

    Holds a workspace that every call overwrites: one object, one thread.

    Attributes:
        length: Samples of a frame that are used: ``win_length``. With
            ``framing="librosa"`` the rest of the ``n_fft`` samples meets zeros of the
            window and only turns phases, which the magnitude drops.
        begin: Where they begin in the first frame of a window, counted from the
            window's first sample; negative where ``center`` puts zeros before it.
    """

    def __init__(self, front_end: LogMel) -> None:
        self.length = front_end.win_length
        librosa = front_end.framing == "librosa"
        offset = (front_end.n_fft - front_end.win_length) // 2 if librosa else 0
        self._padding = front_end.n_fft // 2 if front_end.center else 0
        self.begin = offset - self._padding
        self._front_end = front_end
        self._window = _periodic_hann(front_end.win_length)
        self._blocks = _band_blocks(mel_filters(front_end))
        self._batch = max(1, _BATCH_VALUES // front_end.n_fft)
        bins = front_end.n_fft // 2 + 1
        # Kept, since allocating this much anew for each window can cost more than the arithmetic. Each
        # step writes over what the last but one has left behind, while that is still in the cache: after
        # a model has run, memory that is new to the step takes longer to fetch than to fill.
        self._sound: Float64Array = np.zeros(0)
        rows = _aligned(self._batch * max(front_end.win_length, bins) * 8)
        spectrum = _aligned(self._batch * bins * 16)
        self._rows: Float64Array = _shaped(rows, np.float64, (self._batch, front_end.win_length))
        self._spectrum = _shaped(spectrum, np.complex128, (self._batch, bins))
        self._narrow = _shaped(rows, np.complex64, (self._batch, bins))
        self._power: Float32Array = _shaped(spectrum, np.float32, (self._batch, bins))

    def workspace(self, frames: int) -> Float64Array:
        """Rows for this many frames, ``[frames, length]``; what is in them is lost with every call."""
        if frames <= self._batch:
            return self._rows[:frames]
        rows: Float64Array = _shaped(_aligned(frames * self.length * 8), np.float64, (frames, self.length))
        return rows

    def load(self, frames: Float64Array, rows: Float64Array) -> None:
        """Multiply frames ``[n, length]`` by the window, into rows of a workspace."""
        np.multiply(frames, self._window, out=rows)

    def levels(self, rows: Float64Array, out: Float32Array) -> None:
        """Compute the logarithm of the mel bands, before reference and limits.

        Args:
            rows: Shape ``[n, length]``, a :meth:`workspace` filled by :meth:`load`; overwritten.
            out: Shape ``[n, n_mels]``: dB relative to 1 (``scale="db"``) or the natural
                logarithm (``scale="log"``).
        """
        for start in range(0, len(rows), self._batch):
            stop = start + self._batch
            self._mel(rows[start:stop], out[start:stop])
        _take_logarithm(out, self._front_end)

    def window_levels(self, samples: Float32Array) -> Float32Array:
        """Compute the levels of every frame of one window.

        Args:
            samples: Shape ``[n]``, long enough for one frame.

        Returns:
            A new array ``[frames, n_mels]``.
        """
        count = frame_count(self._front_end, len(samples))
        sound = self._padded(samples)
        frames = frame_view(sound[self._padding + self.begin :], count, self.length, self._front_end.hop)
        levels = np.empty((count, self._front_end.n_mels), dtype=np.float32)
        for start in range(0, count, self._batch):
            batch = frames[start : start + self._batch]
            rows = self._rows[: len(batch)]
            self.load(batch, rows)
            self._mel(rows, levels[start : start + self._batch])
        _take_logarithm(levels, self._front_end)
        return levels

    def _padded(self, samples: Float32Array) -> Float64Array:
        """The samples in double precision, between the zeros that ``center`` puts around them."""
        if len(self._sound) != len(samples) + 2 * self._padding:
            self._sound = np.zeros(len(samples) + 2 * self._padding)
        self._sound[self._padding : self._padding + len(samples)] = samples
        return self._sound

    def _mel(self, rows: Float64Array, out: Float32Array) -> None:
        spectrum, narrow, power = self._spectrum, self._narrow, self._power
        if len(rows) < len(power):
            spectrum, narrow, power = spectrum[: len(rows)], narrow[: len(rows)], power[: len(rows)]
        if _RFFT_HAS_OUT:
            np.fft.rfft(rows, self._front_end.n_fft, out=spectrum)
        else:
            spectrum[:] = np.fft.rfft(rows, self._front_end.n_fft)
        narrow[:] = spectrum
        np.abs(narrow, out=power)
        if self._front_end.power == 2.0:
            np.multiply(power, power, out=power)
        for bins, bands, weights in self._blocks:
            np.matmul(power[:, bins], weights, out=out[:, bands])


def finish_window(levels: Float32Array, front_end: LogMel, out: Float32Array | None = None) -> Float32Array:
    """Apply what belongs to a whole window: reference, limits, normalisation, layout.

    Args:
        levels: Shape ``[frames, n_mels]`` from :meth:`MelFrames.levels`.
        front_end: The spectrogram's parameters.
        out: Computed here; it may be ``levels``. A new array where none is given.

    Returns:
        The features, float32, contiguous, in the front end's layout; ``out`` but for ``mel_time``.
    """
    if out is None:
        out = np.empty_like(levels)
    values = _refer(levels, front_end, out) if front_end.scale == "db" else levels
    if front_end.clip is not None:
        values = np.clip(values, *front_end.clip, out=out)
    if front_end.mean != 0.0:
        values = np.subtract(values, np.float32(front_end.mean), out=out)
    if front_end.std != 1.0:
        values = np.divide(values, np.float32(front_end.std), out=out)
    if front_end.layout == "mel_time":
        return values.T.copy()
    if values is not out:
        out[:] = values
    return out


def _refer(levels: Float32Array, front_end: LogMel, out: Float32Array) -> Float32Array:
    """Levels relative to the reference and limited, in ``out``; ``levels`` where there is nothing to do."""
    if front_end.db_ref == "max":
        levels = np.subtract(levels, levels.max(), out=out)
    elif front_end.db_ref != 1.0:
        reference = _db_factor(front_end) * math.log(max(front_end.amin, front_end.db_ref))
        levels = np.subtract(levels, np.float32(reference), out=out)
    if front_end.top_db is not None:
        levels = np.maximum(levels, levels.max() - np.float32(front_end.top_db), out=out)
    return levels


def _take_logarithm(mel: Float32Array, front_end: LogMel) -> None:
    """Logarithm in place. The natural one: NumPy has a vectorised float32 ``log``, no ``log10``."""
    offset = front_end.log_offset if front_end.scale == "log" else 0.0
    if offset:
        np.add(mel, np.float32(offset), out=mel)
    if offset < front_end.amin:  # otherwise nothing is below it
        np.maximum(mel, np.float32(front_end.amin), out=mel)
    np.log(mel, out=mel)
    if front_end.scale == "db":
        np.multiply(mel, np.float32(_db_factor(front_end)), out=mel)


def _db_factor(front_end: LogMel) -> float:
    """How many dB one natural-logarithm unit is, of power or of magnitude."""
    return (10.0 if front_end.power == 2.0 else 20.0) / math.log(10.0)


def _aligned(size: int) -> npt.NDArray[np.uint8]:
    """So many bytes, from a cache line on.

    NumPy itself begins 16 bytes behind one: then each wide store touches two lines, and takes a third longer.
    """
    room = np.empty(size + _CACHE_LINE_BYTES, dtype=np.uint8)
    start = -room.ctypes.data % _CACHE_LINE_BYTES
    return room[start : start + size]


def _shaped(room: npt.NDArray[np.uint8], dtype: type[np.generic], shape: tuple[int, int]) -> Any:
    """The first bytes of ``room`` as an array."""
    return np.ndarray(shape, dtype, buffer=room.data)


def _periodic_hann(length: int) -> Float64Array:
    """A Hann window for spectral analysis: one period of a raised cosine, last zero left out."""
    phase = 2.0 * np.pi * np.arange(length) / length
    return np.asarray(0.5 - 0.5 * np.cos(phase))


def _band_blocks(filters: npt.NDArray[np.float32]) -> list[tuple[slice, slice, Float32Array]]:
    """Split a filterbank ``[n_mels, n_bins]`` into dense blocks of neighbouring bands.

    Most of the matrix is zero, since a band covers few bins. A block keeps only the
    bins that its bands cover.

    Returns:
        For each block its bins, its bands and its weights ``[bins, bands]``.
    """
    blocks = []
    for first in range(0, len(filters), _BANDS_PER_BLOCK):
        bands = slice(first, min(first + _BANDS_PER_BLOCK, len(filters)))
        covered = np.flatnonzero(filters[bands].any(axis=0))
        bins = slice(int(covered[0]), int(covered[-1]) + 1) if covered.size else slice(0, 1)
        blocks.append((bins, bands, np.ascontiguousarray(filters[bands, bins].T)))
    return blocks
