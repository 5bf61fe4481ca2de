"""Recordings on disk as streams of mono blocks: WAV, FLAC and OGG, through libsndfile.

Memory does not grow with the length of a file. What can be read of a damaged file is
given first, block by block, then the error says at which second it ends: half a
recording can hold a gunshot, and must not pass for a whole one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypeAlias, final

import numpy as np

from ..contract.values import Float32Array
from ..errors import AudioError, UsageError
from .container_end import bytes_after_empty_data, ends_early
from .resample import StreamResampler

if TYPE_CHECKING:
    from .forward_reader import ForwardReader

__all__ = ["AudioFile", "Channel", "read_mono"]

Channel: TypeAlias = int | Literal["mix"]
"""A channel counted from 0, or the mean of all."""

_FORMATS = ("WAV", "WAVEX", "RF64", "FLAC", "OGG")
# libsndfile's frame count of a file that does not say how long it is.
_UNKNOWN_FRAMES = 2**63 - 1
_READ_MONO_FRAMES = 65_536


@final
class AudioFile:
    """One open recording; a context manager.

    Attributes:
        path: The file.
        sample_rate_hz: Samples a second and channel.
        channels: Number of channels.
        frames: Samples of each channel, as far as the file is there; None for a FLAC
            stream that does not say.
    """

    def __init__(self, path: Path, reader: ForwardReader) -> None:
        self.path = path
        self.sample_rate_hz: int = reader.samplerate
        self.channels: int = reader.channels
        self.frames: int | None = None if reader.frames >= _UNKNOWN_FRAMES else reader.frames
        self._reader = reader

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> AudioFile:
        """Open a recording and read its header.

        Raises:
            AudioError: No such file, empty, no WAV, FLAC or OGG, or without any sample.
            MissingExtraError: soundfile is not installed.
        """
        file = Path(path)
        _require_content(file)
        from .forward_reader import ForwardReader, LibsndfileError

        try:
            reader = ForwardReader(os.fsencode(file))  # names need not be UTF-8
        except LibsndfileError as error:
            raise AudioError(
                f"{file} cannot be read as sound: {error.error_string}",
                hint="WAV, FLAC and OGG are read; the file may be of another kind or cut off",
            ) from error
        opened = cls(file, reader)
        try:
            opened._require_sound()
        except AudioError:
            reader.close()
            raise
        return opened

    @property
    def duration_s(self) -> float | None:
        """Length in seconds; None where :attr:`frames` is."""
        return None if self.frames is None else self.frames / self.sample_rate_hz

    def blocks(self, block_frames: int, channel: Channel = "mix") -> Iterator[Float32Array]:
        """Read the recording from its beginning, one block at a time.

        One iterator at a time: a second call begins the file anew.

        Args:
            block_frames: Length of a block; the last one may be shorter.
            channel: Which channel, counted from 0, or ``mix`` for the mean of all.

        Returns:
            An iterator over new float32 arrays ``[n]``, full scale 1.0.

        Raises:
            UsageError: A channel that the file does not have, or an empty block; at once.
            AudioError: While iterating, after all that could be read: the file is
                truncated or damaged, or a sample is not a finite number.
        """
        if block_frames < 1:
            raise UsageError(f"a block must hold at least 1 frame, not {block_frames}")
        if channel != "mix" and not 0 <= channel < self.channels:
            raise UsageError(
                f"{self.path} has no channel {channel}",
                hint=f"it has {self.channels}, counted from 0; 'mix' is the mean of all",
            )
        return self._blocks(block_frames, channel)

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _blocks(self, block_frames: int, channel: Channel) -> Iterator[Float32Array]:
        self._reader.seek(0)
        position = 0
        while len(block := self._read(block_frames, position)):
            mono = _one_channel(block, channel)
            finite = _finite_length(mono)
            if finite:
                yield mono[:finite]
            if finite < len(mono):
                raise self._not_finite(position + finite, mono[finite])
            position += len(block)
        if (self.frames is not None and position < self.frames) or ends_early(self.path):
            raise self._broken(position)

    def _read(self, frames: int, position: int) -> Float32Array:
        """Read up to ``frames`` frames of all channels, shape ``[n, channels]``."""
        from .forward_reader import LibsndfileError

        try:
            block: Float32Array = self._reader.read(frames, dtype="float32", always_2d=True)
        except LibsndfileError as error:
            raise self._broken(position) from error
        return block

    def _broken(self, position: int) -> AudioError:
        return AudioError(
            f"{self.path} is truncated or damaged: its sound ends at {position / self.sample_rate_hz:.3f} s",
            hint="the recorder or the copy may have been interrupted; cut the file there to use the rest",
        )

    def _not_finite(self, sample: int, value: float) -> AudioError:
        return AudioError(
            f"{self.path}: sample {sample} ({sample / self.sample_rate_hz:.3f} s) "
            f"is not a finite number but {value}",
            hint="the program that wrote this floating-point file is at fault; write it again",
        )

    def _require_sound(self) -> None:
        if self._reader.format not in _FORMATS:
            raise AudioError(
                f"{self.path} is {self._reader.format}, and only WAV, FLAC and OGG are read",
                hint="convert it, for example: ffmpeg -i IN OUT.flac",
            )
        if self.frames == 0:
            unlisted = bytes_after_empty_data(self.path)
            if unlisted:
                raise AudioError(
                    f"{self.path}: its header says 0 samples, though {unlisted} bytes follow it",
                    hint="the recorder may have lost power; repair a copy, for example: "
                    "ffmpeg -ignore_length 1 -i IN.wav OUT.wav",
                )
            raise AudioError(
                f"{self.path} holds no sound: its header says 0 samples",
                hint="the recorder may have stopped before it completed the file",
            )


def read_mono(path: str | os.PathLike[str], rate_hz: int, channel: Channel = "mix") -> Float32Array:
    """Read a whole recording at another rate: bit for bit what streaming it gives.

    Args:
        path: A WAV, FLAC or OGG file.
        rate_hz: The rate to resample to.
        channel: Which channel, counted from 0, or ``mix`` for the mean of all.

    Returns:
        float32 ``[n]``, full scale 1.0.

    Raises:
        AudioError: The file is missing, no sound, truncated, damaged or not finite.
        UsageError: A channel that the file does not have, or an impossible rate.
        MissingExtraError: soundfile or soxr is not installed.
    """
    with AudioFile.open(path) as recording:
        resampler = StreamResampler(recording.sample_rate_hz, rate_hz)
        parts = [resampler.process(block) for block in recording.blocks(_READ_MONO_FRAMES, channel)]
        return np.concatenate([*parts, resampler.flush()])


def _one_channel(block: Float32Array, channel: Channel) -> Float32Array:
    if channel != "mix" or block.shape[1] == 1:
        return np.ascontiguousarray(block[:, 0 if channel == "mix" else channel])
    # What block.mean(axis=1) gives, which takes several times as long over so few channels.
    total = block[:, 0] + block[:, 1]
    for other in range(2, block.shape[1]):
        total += block[:, other]
    total /= block.shape[1]
    return total


def _finite_length(mono: Float32Array) -> int:
    """How many samples come before the first that is no finite number."""
    finite = np.isfinite(mono)
    return len(mono) if finite.all() else int(np.argmin(finite))


def _require_content(file: Path) -> None:
    try:
        if file.exists() and not file.is_file():
            raise AudioError(f"{file} is not a file")
        with file.open("rb") as content:
            first = content.read(1)
    except OSError as error:
        raise AudioError(f"{file} cannot be opened: {error.strerror}") from error
    if not first:
        raise AudioError(f"{file} is empty (0 bytes)", hint="the recorder or the copy may have failed")
