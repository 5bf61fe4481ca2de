"""All windows of one recording, as a device makes them of its stream: for training on the same features."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..contract.audio import feature_shape
from ..contract.manifest import AudioInput
from ..contract.values import AudioWindow, Float32Array
from .audio_file import AudioFile, Channel
from .resample import StreamResampler
from .short_recording import silence_after
from .sliding import sliding_front_end

__all__ = ["RecordingFeatures", "recording_features"]

_BLOCK_FRAMES = 65_536


class RecordingFeatures(NamedTuple):
    """Windows of one recording, in order.

    Attributes:
        starts: First sample of each window at the model's rate, shape ``[n]``.
        features: What the model is fed for each: float32 ``[n, frames, n_mels]``, transposed where the
            layout is ``mel_time``; ``[n, window_samples]`` for a model that takes the waveform.
    """

    starts: npt.NDArray[np.int64]
    features: Float32Array


def recording_features(
    path: str | os.PathLike[str], audio: AudioInput, *, channel: Channel = "mix"
) -> RecordingFeatures:
    """Everything that a device would feed its model from one recording, bit for bit.

    Windows begin every step, and the last one ends with the recording. A recording that is shorter than a
    window is followed by silence up to one. All windows are held in memory together.

    Args:
        path: A WAV, FLAC or OGG file of any rate.
        audio: Rate, window, step and front end: of a spec, ``converters.load_spec(PATH).audio``; of a bundle,
            ``Bundle.open(PATH).manifest.audio``; or made by hand.
        channel: Which channel, counted from 0, or ``mix`` for the mean of all.

    Raises:
        AudioError: The file is missing, no sound, truncated, damaged or not finite.
        UsageError: Window, step and hop do not fit each other, or the file has no such channel.
        MissingExtraError: soundfile or soxr is not installed.
    """
    sliding = sliding_front_end(audio.front_end, audio.window_samples, audio.step_samples)
    windows: list[AudioWindow] = []
    with AudioFile.open(path) as recording:
        rate_hz, heard = recording.sample_rate_hz, 0
        resampler = StreamResampler(rate_hz, audio.sample_rate_hz)
        for block in recording.blocks(_BLOCK_FRAMES, channel):
            heard += len(block)
            windows += sliding.push(resampler.process(block))
        silence = silence_after(heard, rate_hz, audio.window_samples, audio.sample_rate_hz)
        if silence is not None:
            windows += sliding.push(resampler.process(silence.samples))
        windows += sliding.push(resampler.flush())
    windows += sliding.finish()
    shape = feature_shape(audio.front_end, audio.window_samples)
    features = np.array([window.features for window in windows], dtype=np.float32)
    starts = np.array([window.start for window in windows], dtype=np.int64)
    return RecordingFeatures(starts, features.reshape(len(windows), *shape))
