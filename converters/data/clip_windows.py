"""The windows of a labelled recording, cut and prepared by the very code that a device runs.

A recording can last all night: no more of it is held than a few blocks and one window.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence

import numpy as np

from edge_sdk.console.progress import Progress, SilentProgress
from edge_sdk.contract.values import AudioBlock, AudioWindow, Float32Array
from edge_sdk.inference.scorer import AudioScorer
from edge_sdk.signal.audio_file import AudioFile
from edge_sdk.signal.resample import StreamResampler
from edge_sdk.signal.short_recording import silence_after
from edge_sdk.signal.sliding import longest_unheard

from .dataset import BLOCK_S, Clip

__all__ = ["clip_blocks", "clip_windows", "expected_windows", "read_windows"]


def clip_windows(
    front_end: AudioScorer, clip: Clip, progress: Progress | None = None
) -> Iterator[AudioWindow]:
    """The model inputs of one recording, as a device would make them of its stream.

    Args:
        front_end: Makes the windows.
        clip: The recording.
        progress: Told how much of it has been heard.
    """
    front_end.reset()
    audio, told = front_end.audio, progress or SilentProgress()
    length = max(1, round(clip.duration_s * audio.sample_rate_hz))
    for block in clip_blocks(clip, audio.sample_rate_hz, audio.window_samples):
        yield from front_end.windows(block)
        told.within(min(1.0, front_end.position / length))
    yield from front_end.flush()


def expected_windows(front_end: AudioScorer, clip: Clip) -> int:
    """How many windows a recording's length makes; resampling may end in one more or less."""
    audio = front_end.audio
    heard = round(clip.duration_s * audio.sample_rate_hz)
    whole, rest = divmod(max(0, heard - audio.window_samples), audio.step_samples)
    return 1 + whole + (rest > longest_unheard(audio.sample_rate_hz))  # the last one ends with the clip


def read_windows(
    clip: Clip, sample_rate_hz: int, window_samples: int, starts: Sequence[int]
) -> list[Float32Array]:
    """The samples of some windows, in one pass through the recording.

    Args:
        clip: The recording.
        sample_rate_hz: The model's rate.
        window_samples: Length of each at that rate.
        starts: Where each begins, in any order.

    Returns:
        float32 ``[window_samples]`` for each start.
    """
    windows = [np.zeros(window_samples, dtype=np.float32) for _ in starts]
    end, position = max(starts) + window_samples, 0
    with contextlib.closing(_resampled(clip, sample_rate_hz, window_samples)) as stream:
        for samples in stream:
            for window, start in zip(windows, starts, strict=True):
                _copy_overlap(samples, position, window, start)
            position += len(samples)
            if position >= end:
                break
    return windows


def _copy_overlap(samples: Float32Array, position: int, window: Float32Array, start: int) -> None:
    """Copy what samples from ``position`` on and a window from ``start`` on have in common."""
    first, stop = max(position, start), min(position + len(samples), start + len(window))
    if first < stop:
        window[first - start : stop - start] = samples[first - position : stop - position]


def clip_blocks(clip: Clip, sample_rate_hz: int, window_samples: int) -> Iterator[AudioBlock]:
    """A clip's sound in blocks; one that is shorter than a window is followed by silence up to one.

    Args:
        clip: The recording.
        sample_rate_hz: The model's rate.
        window_samples: Length of the model's window at that rate.
    """
    with AudioFile.open(clip.path) as recording:
        rate, heard = recording.sample_rate_hz, 0
        for block in recording.blocks(max(1, round(BLOCK_S * rate))):
            heard += len(block)
            yield AudioBlock(block, rate)
        silence = silence_after(heard, rate, window_samples, sample_rate_hz)
        if silence is not None:
            yield silence


def _resampled(clip: Clip, sample_rate_hz: int, window_samples: int) -> Generator[Float32Array, None, None]:
    """A clip's sound at the model's rate."""
    resampler: StreamResampler | None = None
    for block in clip_blocks(clip, sample_rate_hz, window_samples):
        resampler = resampler or StreamResampler(block.sample_rate_hz, sample_rate_hz)
        yield resampler.process(block.samples)
    if resampler is not None:
        yield resampler.flush()
