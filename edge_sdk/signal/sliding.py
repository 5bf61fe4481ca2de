"""A stream of samples into overlapping windows of features.

The last window ends where the sound ends, so that no sound is left out that fills part of a step only.

Windows that overlap share spectrogram frames. A frame is computed once, its logarithm
kept, and only what belongs to one window is done again: the reference and limits of
that window and, with ``center=true``, the few frames at its edges that see the zeros
around the window where the stream has its neighbours.

What is computed together depends only on the position in the stream, never on how the
samples were cut into blocks: any block sizes give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from ..contract.audio import FrontEnd, LogMel, Waveform, frame_count, validate_window
from ..contract.values import AudioWindow, Float32Array
from ..errors import UsageError
from .level import SlidingLevel
from .log_mel import require_mono
from .mel_frames import MelFrames, finish_window, frame_view

__all__ = ["SlidingFrontEnd", "SlidingLogMel", "SlidingWaveform", "longest_unheard", "sliding_front_end"]

_Float: TypeAlias = npt.NDArray[np.floating]

_LEAST_TAIL_S = 0.02
"""Less sound at the end is worth no window of its own: nothing can be recognised in it, resampling may have
made some of it, and its window would be the one before once more."""


def longest_unheard(sample_rate_hz: int) -> int:
    """So many samples at the end of a sound may lie in no window."""
    return round(_LEAST_TAIL_S * sample_rate_hz)


class SlidingFrontEnd(Protocol):
    """Takes samples in blocks of any size and gives every complete window."""

    def push(self, samples: _Float) -> list[AudioWindow]:
        """Append sound that follows what was pushed before, and give the windows it completes.

        Args:
            samples: Mono in -1..1, finite, any length, shape ``[n]``; copied, not kept.

        Returns:
            The windows in order, often none. Their arrays belong to the caller.

        Raises:
            InputError: Not one-dimensional floating-point sound.
        """
        ...

    def finish(self) -> list[AudioWindow]:
        """The sound has ended: give the window that ends with it, where one is due.

        None is due where the last window that was given reaches to the end, or to less than 20 ms before
        it, or the sound is shorter than a window. What follows begins with :meth:`reset`.
        """
        ...

    def reset(self, position: int) -> None:
        """Forget all sound, as after a gap: the next sample is number ``position``."""
        ...


class SlidingWaveform:
    """Overlapping windows of the samples themselves.

    Args:
        front_end: The model's sample rate.
        window_samples: Length of a window.
        step_samples: Samples from the start of one window to the next, at most a window.

    Raises:
        UsageError: Window and step do not fit each other.
    """

    def __init__(self, front_end: Waveform, window_samples: int, step_samples: int) -> None:
        _require_window(front_end, window_samples, step_samples)
        self._window = _SampleWindow(window_samples, step_samples, longest_unheard(front_end.sample_rate_hz))

    def push(self, samples: _Float) -> list[AudioWindow]:
        """Append sound and give the windows it completes: see :class:`SlidingFrontEnd`."""
        return self._window.push(samples, np.copy)

    def finish(self) -> list[AudioWindow]:
        """Give the window that ends with the sound: see :class:`SlidingFrontEnd`."""
        return self._window.finish(np.copy)

    def reset(self, position: int) -> None:
        """Forget all sound: see :class:`SlidingFrontEnd`."""
        self._window.reset(position)


class SlidingLogMel:
    """Overlapping windows of log-mel features, equal to :class:`.LogMelExtractor` on each.

    Args:
        front_end: The spectrogram's parameters.
        window_samples: Length of a window.
        step_samples: Samples from the start of one window to the next: a multiple of the
            hop, at most a window.

    Raises:
        UsageError: Window, step and hop do not fit each other; names the nearest steps.
    """

    def __init__(self, front_end: LogMel, window_samples: int, step_samples: int) -> None:
        _require_window(front_end, window_samples, step_samples)
        self._front_end = front_end
        self._window = _SampleWindow(window_samples, step_samples, longest_unheard(front_end.sample_rate_hz))
        self._spectrum = _WindowSpectrum(front_end, window_samples, step_samples)

    def push(self, samples: _Float) -> list[AudioWindow]:
        """Append sound and give the windows it completes: see :class:`SlidingFrontEnd`."""
        return self._window.push(samples, self._features)

    def finish(self) -> list[AudioWindow]:
        """Give the window that ends with the sound: see :class:`SlidingFrontEnd`."""
        return self._window.finish(self._features_alone)

    def reset(self, position: int) -> None:
        """Forget all sound: see :class:`SlidingFrontEnd`."""
        self._window.reset(position)
        self._spectrum.reset()

    def _features(self, samples: Float32Array) -> Float32Array:
        return finish_window(self._spectrum.levels(samples), self._front_end)

    def _features_alone(self, samples: Float32Array) -> Float32Array:
        """Of a window that does not lie a step behind the one before."""
        return finish_window(self._spectrum.levels_alone(samples), self._front_end)


def sliding_front_end(front_end: FrontEnd, window_samples: int, step_samples: int) -> SlidingFrontEnd:
    """Make the sliding form of a front end.

    Raises:
        UsageError: Window, step and hop do not fit each other; names the nearest steps.
    """
    if isinstance(front_end, Waveform):
        return SlidingWaveform(front_end, window_samples, step_samples)
    return SlidingLogMel(front_end, window_samples, step_samples)


class _SampleWindow:
    """The samples of the window that is being filled."""

    def __init__(self, window_samples: int, step_samples: int, longest_unheard: int) -> None:
        # Windows advance through twice the room they need, so that samples are seldom moved; a step's more
        # for what lies before the next window and is part of the last.
        self._samples: Float32Array = np.zeros(2 * window_samples + step_samples, dtype=np.float32)
        self._length = window_samples
        self._step = step_samples
        self._longest_unheard = longest_unheard
        self._level = SlidingLevel(window_samples, step_samples)
        self.reset(0)

    def push(self, samples: _Float, features: Callable[[Float32Array], Float32Array]) -> list[AudioWindow]:
        rest = require_mono(samples)
        windows = []
        while len(rest) >= (missing := self._offset + self._length - self._filled):
            self._append(rest[:missing])
            rest = rest[missing:]
            window = self._samples[self._offset : self._filled]
            windows.append(AudioWindow(self._start, features(window), self._level.dbfs(window)))
            self._advance()
        self._append(rest)
        return windows

    def finish(self, features: Callable[[Float32Array], Float32Array]) -> list[AudioWindow]:
        unheard = self._filled - (self._offset + self._length - self._step)
        if not self._any_given or unheard <= self._longest_unheard:
            return []
        window = self._samples[self._filled - self._length : self._filled]
        start = self._start + self._filled - self._offset - self._length
        level = SlidingLevel(self._length, self._step).dbfs(window)
        last = AudioWindow(start, features(window), level)
        self.reset(start + self._length)
        return [last]

    def reset(self, position: int) -> None:
        self._start = position
        self._offset = self._filled = 0
        self._any_given = False
        self._level.reset()

    def _append(self, samples: _Float) -> None:
        stop = self._filled + len(samples)
        self._samples[self._filled : stop] = samples
        self._filled = stop

    def _advance(self) -> None:
        self._any_given = True
        self._start += self._step
        self._offset += self._step
        if self._offset + self._length > len(self._samples):
            kept = self._samples[self._offset - self._step : self._filled]
            self._samples[: len(kept)] = kept
            self._offset, self._filled = self._step, len(kept)


class _WindowSpectrum:
    """Log-mel levels of successive windows that lie one step apart.

    The frames of a window are, in this order: a head that begins in the zeros before it,
    frames that lie inside, and frames that end in the zeros after it; only ``center=true``
    has the first and last. A frame inside two windows is kept; head and tail are computed.
    """

    def __init__(self, front_end: LogMel, window_samples: int, step_samples: int) -> None:
        self._frames = MelFrames(front_end)
        hop, begin, length = front_end.hop, self._frames.begin, self._frames.length
        count = frame_count(front_end, window_samples)
        inside_stop = min((window_samples - length - begin) // hop + 1, count)
        self._step_frames = step_samples // hop
        self._head = math.ceil(max(0, -begin) / hop)
        self._tail = inside_stop - self._step_frames
        self._any_before = False
        self._shares = self._tail > self._head
        if not self._shares:  # windows have no frame in common
            return
        self._count = count
        # Windows advance through this, so that the frames they share are seldom moved.
        self._history: Float32Array = np.empty((2 * count, front_end.n_mels), dtype=np.float32)
        self._first = 0
        self._head_sound = np.zeros(max(0, self._head - 1) * hop + length)
        self._tail_sound = np.zeros((count - 1 - self._tail) * hop + length)
        self._head_frames = frame_view(self._head_sound, self._head, length, hop)
        self._tail_frames = frame_view(self._tail_sound, count - self._tail, length, hop)
        self._head_zeros = max(0, -begin)
        tail_start = self._tail * hop + begin
        self._tail_samples = slice(tail_start, tail_start + len(self._tail_sound))
        self._rows = self._frames.workspace(self._head + count - self._tail)
        self._head_rows, self._tail_rows = self._rows[: self._head], self._rows[self._head :]
        self._computed: Float32Array = np.empty((len(self._rows), front_end.n_mels), dtype=np.float32)

    def levels(self, samples: Float32Array) -> Float32Array:
        """Levels ``[frames, n_mels]`` of the next window, given all its samples: to read, until the next."""
        if not self._shares:
            return self._frames.window_levels(samples)
        if self._any_before:
            self._advance(samples)
        else:
            self._first, self._any_before = 0, True
            self._history[: self._count] = self._frames.window_levels(samples)
        return self._history[self._first : self._first + self._count]

    def levels_alone(self, samples: Float32Array) -> Float32Array:
        """Levels ``[frames, n_mels]`` of any window; the next one is not affected."""
        return self._frames.window_levels(samples)

    def reset(self) -> None:
        self._any_before = False

    def _advance(self, samples: Float32Array) -> None:
        """Turn the levels of the window one step before into those of this window."""
        levels = self._next_window()
        tail_sound = samples[self._tail_samples]
        self._tail_sound[: len(tail_sound)] = tail_sound
        self._frames.load(self._tail_frames, self._tail_rows)
        if not self._head:
            return self._frames.levels(self._rows, out=levels[self._tail :])
        self._head_sound[self._head_zeros :] = samples[: len(self._head_sound) - self._head_zeros]
        self._frames.load(self._head_frames, self._head_rows)
        self._frames.levels(self._rows, out=self._computed)
        levels[: self._head] = self._computed[: self._head]
        levels[self._tail :] = self._computed[self._head :]
        return None

    def _next_window(self) -> Float32Array:
        """Go one step further in the history; head and tail are still to be filled in."""
        first, count = self._first + self._step_frames, self._count
        if first + count > len(self._history):
            shared = slice(first, first + count - self._step_frames)
            self._history[: count - self._step_frames] = self._history[shared]
            first = 0
        self._first = first
        return self._history[first : first + count]


def _require_window(front_end: FrontEnd, window_samples: int, step_samples: int) -> None:
    try:
        validate_window(front_end, window_samples, step_samples)
    except ValueError as error:
        raise UsageError(str(error)) from error
