"""One recording as a source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from edge_sdk.console.foreign_text import printable
from edge_sdk.contract.values import AudioBlock, ClockSource, End, SourceItem
from edge_sdk.errors import AudioError, SourceError
from edge_sdk.signal.audio_file import AudioFile

from .pace import Pace, Pacer, RealtimePace
from .recording_time import believable_seconds, time_in_name

__all__ = ["AudioFileSource", "blocks_of", "open_recording", "time_from_date"]

# What is played must sound like a microphone; what is pulled need only leave time to say stop.
LIVE_BLOCK_S = 0.25
PULLED_BLOCK_S = 1.0


class AudioFileSource:
    """A WAV, FLAC or OGG file of any length, rate and channel count.

    Its header is read at once, its sound in blocks of a second; where it is played, of a quarter.

    Args:
        path: The file.
        channel: Which channel to take, counted from 1; ``None`` for the mean of all.
        realtime: Deliver by the clock, as a microphone would.
        pace: The clock to deliver by.

    Raises:
        AudioError: It is no sound file, holds nothing, or has no such channel.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        channel: int | None = None,
        realtime: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self._path = Path(path)
        self._channel = channel
        self._file = open_recording(self._path, channel)
        self._pace = pace or RealtimePace()
        self._pacer = Pacer(self._pace) if realtime else None
        self._closed = False
        named = time_in_name(self._path)
        self._started_at = named or time_from_date(self._file)
        self._clock_source: ClockSource = "file_mtime" if named is None else "file_name"

    @property
    def name(self) -> str:
        """The file's name."""
        return printable(self._path.name)

    @property
    def duration_s(self) -> float | None:
        """Its length; None for a FLAC stream that does not say."""
        return self._file.duration_s

    @property
    def live(self) -> bool:
        """Whether it is played by the clock."""
        return self._pacer is not None

    @property
    def started_at(self) -> datetime | None:
        """From the file's name, else from its date; where it is played, when that began."""
        return self._pacer.started_at if self._pacer else self._started_at

    @property
    def clock_source(self) -> ClockSource:
        """Where ``started_at`` comes from."""
        return "system" if self._pacer else self._clock_source

    def items(self) -> Iterator[SourceItem]:
        """The file's sound, then the ``End``.

        Raises:
            SourceError: The file breaks off, or holds what is no number; all before it was delivered.
        """
        return self._pacer.paced(self._sound()) if self._pacer else self._sound()

    def close(self) -> None:
        """Stop reading."""
        self._closed = True
        self._pace.end()

    def _sound(self) -> Iterator[SourceItem]:
        try:
            with self._file:
                for block in blocks_of(self._file, self._channel, live=self.live):
                    if self._closed:
                        return
                    yield block
        except AudioError as error:
            raise SourceError(error.message, hint=error.hint) from error
        yield End()


def open_recording(path: Path, channel: int | None) -> AudioFile:
    """Open a recording that has the channel, counted from 1.

    Raises:
        AudioError: It cannot be read as sound, holds none, or has no such channel.
    """
    file = AudioFile.open(path)
    if channel is not None and channel > file.channels:
        file.close()
        raise AudioError(
            f"{path} has no channel {channel}", hint=f"it has {file.channels}, and they count from 1"
        )
    return file


def blocks_of(file: AudioFile, channel: int | None, *, live: bool) -> Iterator[AudioBlock]:
    """The sound of an open recording, in short blocks where it is played.

    Raises:
        AudioError: The file breaks off, or holds what is no number; all before it was given.
    """
    block_frames = max(1, round((LIVE_BLOCK_S if live else PULLED_BLOCK_S) * file.sample_rate_hz))
    for samples in file.blocks(block_frames, "mix" if channel is None else channel - 1):
        yield AudioBlock(samples, file.sample_rate_hz)


def time_from_date(file: AudioFile) -> datetime:
    """When a recording began, if its recorder wrote to it until the last sample."""
    modified = datetime.fromtimestamp(believable_seconds(file.path.stat().st_mtime), timezone.utc)
    return modified - timedelta(seconds=file.duration_s or 0.0)
