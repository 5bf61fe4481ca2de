"""A directory of recordings as one source, as a recorder leaves them on its card."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from edge_sdk.console.foreign_text import printable
from edge_sdk.contract.values import ClockSource, End, Gap, SourceItem
from edge_sdk.errors import AudioError, SourceError
from edge_sdk.signal.audio_file import AudioFile

from .audio_file import blocks_of, open_recording, time_from_date
from .meeting import gap_between
from .pace import Pace, Pacer, RealtimePace
from .recording_time import time_in_name
from .recordings import find_recordings

__all__ = ["UNREADABLE", "AudioDirectorySource"]

_LOGGER = logging.getLogger(__name__)

UNREADABLE = "unreadable_file"


class AudioDirectorySource:
    """All WAV, FLAC and OGG files in a directory and below it, in the order of their times.

    Where every name holds a time (``20190522_000000.WAV``) they are played in that order, and a file
    goes on from the one before if the two meet within 50 ms; else there is a gap. Other names are
    played in alphabetical order, with a gap between any two.

    A file that cannot be read, or breaks off, is reported and becomes a gap.

    Args:
        folder: The directory.
        channel: Which channel to take, counted from 1; ``None`` for the mean of all.
        contiguous: The files follow each other without a break, whatever their times.
        realtime: Deliver by the clock, as a microphone would; gaps are not waited for.
        pace: The clock to deliver by.

    Raises:
        UsageError: There is no such directory, or no recording in it.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        channel: int | None = None,
        contiguous: bool = False,
        realtime: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self._folder = Path(folder)
        self._paths = find_recordings(self._folder)
        self._channel = channel
        self._contiguous = contiguous
        self._pace = pace or RealtimePace()
        self._pacer = Pacer(self._pace) if realtime else None
        self._closed = False
        self._named = all(time_in_name(path) for path in self._paths)
        if self._named:
            self._paths.sort(key=lambda path: (str(time_in_name(path)), path))
        self._started_at = time_in_name(self._paths[0]) if self._named else None
        self._ended_at = self._started_at  # of what was heard last
        self._missing: Gap | None = None  # what a broken file owes, until the next one tells how much

    @property
    def name(self) -> str:
        """The directory's name."""
        return printable(self._folder.resolve().name)

    @property
    def live(self) -> bool:
        """Whether it is played by the clock."""
        return self._pacer is not None

    @property
    def started_at(self) -> datetime | None:
        """When the first recording that can be read began; known with its first block."""
        return self._pacer.started_at if self._pacer else self._started_at

    @property
    def clock_source(self) -> ClockSource:
        """Where ``started_at`` comes from."""
        if self._pacer:
            return "system"
        return "file_name" if self._named else "file_mtime"

    def items(self) -> Iterator[SourceItem]:
        """The recordings' sound with gaps between them, then the ``End``.

        Raises:
            SourceError: Not one recording could be read.
        """
        return self._pacer.paced(self._sound()) if self._pacer else self._sound()

    def close(self) -> None:
        """Stop reading."""
        self._closed = True
        self._pace.end()

    def _sound(self) -> Iterator[SourceItem]:
        heard = 0
        for path in self._paths:
            file = self._open(path)
            if file is None:
                continue
            starts_at = time_in_name(path) if self._named else None
            starts_at = starts_at or time_from_date(file)
            if self._started_at is None:
                self._started_at = starts_at
            gap = self._gap_before(starts_at, file.sample_rate_hz, first=not heard)
            if gap is not None:
                yield gap
            yield from self._play(file, starts_at)
            if self._closed:
                return
            heard += 1
        if not heard:
            raise SourceError(f"none of the {len(self._paths)} recordings in {self._folder} can be read")
        if self._missing is not None:
            yield self._missing
        yield End()

    def _open(self, path: Path) -> AudioFile | None:
        try:
            return open_recording(path, self._channel)
        except AudioError as error:
            _LOGGER.warning("%s", error.message)
            self._missing = self._missing or Gap(0, 1, UNREADABLE)
            return None

    def _play(self, file: AudioFile, starts_at: datetime) -> Iterator[SourceItem]:
        samples = 0
        try:
            with file:
                for block in blocks_of(file, self._channel, live=self.live):
                    if self._closed:
                        return
                    samples += len(block.samples)
                    yield block
        except AudioError as error:
            _LOGGER.warning("%s", error.message)
            missing = max(0, (file.frames or samples) - samples)
            self._missing = Gap(missing, file.sample_rate_hz, UNREADABLE)
        self._ended_at = starts_at + timedelta(seconds=samples / file.sample_rate_hz)

    def _gap_before(self, starts_at: datetime, rate_hz: int, *, first: bool) -> Gap | None:
        missing, self._missing = self._missing, None
        if self._contiguous or (first and missing is None):
            return missing
        gap = gap_between(self._ended_at if self._named else None, starts_at, rate_hz)
        if missing is None:
            return gap
        if gap is not None and gap.samples:
            return msgspec.structs.replace(gap, reason=UNREADABLE)
        return msgspec.structs.replace(missing, resumes_at=starts_at)
