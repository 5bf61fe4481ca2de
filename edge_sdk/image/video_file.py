"""Video files as frames, through OpenCV (its wheels bring FFmpeg).

Memory does not grow with the length of a file. What can be read of a truncated file is given first,
frame by frame, then the error says where it ends: half a video must not pass for a whole one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, final

from ..contract.values import Frame, Pixels
from ..errors import ImageError
from .file_content import first_bytes
from .opencv import load_opencv
from .picture_file import is_picture

__all__ = ["VIDEO_SUFFIXES", "VideoFile", "is_video", "read_video"]

VIDEO_SUFFIXES = frozenset((".avi", ".m4v", ".mjpg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm"))
"""Names of videos, in lower case."""

_SIGNATURE_BYTES = 12
# Of a video whose container lists its frames, a decoder may hold back so many for good.
_HELD_BACK = 2
_PLAUSIBLE_FRAMES_PER_S = 1000.0


@final
class VideoFile:
    """One open video; a context manager.

    Attributes:
        path: The file.
        frame_rate_hz: Frames a second, as the file says; None where it does not.
        frame_count: How many frames the file says it has, or an estimate from its duration where its
            container does not list them; None where it says neither.
        width: Of a frame, in pixels, before it is turned upright.
        height: Of a frame, in pixels, before it is turned upright.
    """

    def __init__(self, path: Path, capture: Any, *, frames_listed: bool) -> None:
        cv = load_opencv()
        rate = float(capture.get(cv.CAP_PROP_FPS))
        count = int(capture.get(cv.CAP_PROP_FRAME_COUNT))
        self.path = path
        self.frame_rate_hz = rate if 0 < rate <= _PLAUSIBLE_FRAMES_PER_S else None
        self.frame_count = count if count > 0 else None
        self.width = int(capture.get(cv.CAP_PROP_FRAME_WIDTH))
        self.height = int(capture.get(cv.CAP_PROP_FRAME_HEIGHT))
        self._capture = capture
        self._frames_listed = frames_listed

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> VideoFile:
        """Open a video and read its header.

        Raises:
            UsageError: There is no such file, or it is a folder.
            ImageError: Empty, a picture, no video, or one whose name OpenCV cannot take.
            MissingExtraError: OpenCV is not installed.
        """
        file = Path(path)
        start = first_bytes(file, _SIGNATURE_BYTES)
        _require_name(file)
        cv = load_opencv()
        try:
            capture = cv.VideoCapture(str(file))
        except cv.error as error:
            raise _not_a_video(file) from error
        if not capture.isOpened():
            raise _not_a_video(file)
        # AVI, and MP4 with its relatives.
        return cls(file, capture, frames_listed=start[:4] == b"RIFF" or start[4:8] == b"ftyp")

    def frames(self) -> Iterator[Frame]:
        """Read on from where the video stands, frame by frame, to its end.

        Returns:
            An iterator over frames, turned upright where the file says how. Their time is the one in the
            file, which need not grow evenly: phones and trail cameras skip frames in the dark.

        Raises:
            ImageError: While iterating, after all that could be read: there was no frame at all, or the
                video ends before its header says. At most two frames may be missing, or a second where
                the container (MKV, WebM, ...) lists no frames and the count is an estimate.
        """
        index, time_s = 0, None
        while (pixels := self._read()) is not None:
            time_s = self._time_s(index, time_s)
            yield Frame(pixels, index, time_s)
            index += 1
        if not index:  # whatever the header says: that nothing could be seen must not pass for nothing there
            raise _no_frame(self.path, self.frame_count)
        if self.frame_count is not None and index < self.frame_count - self._may_be_missing():
            raise ImageError(
                f"{self.path} is truncated or damaged: it ends after {index} of {self.frame_count} frames",
                hint="the recorder or the copy may have been interrupted",
            )

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> Pixels | None:
        pixels: Pixels | None
        there, pixels = self._capture.read()
        return pixels if there else None

    def _time_s(self, index: int, before: float | None) -> float | None:
        """The file's time of the frame that was read last, or by the frame rate where it has none."""
        told = float(self._capture.get(load_opencv().CAP_PROP_POS_MSEC)) / 1000
        if told > before if before is not None else told >= 0:
            return told
        return None if self.frame_rate_hz is None else index / self.frame_rate_hz

    def _may_be_missing(self) -> float:
        return _HELD_BACK if self._frames_listed else max(_HELD_BACK, self.frame_rate_hz or 0.0)


def is_video(path: str | os.PathLike[str]) -> bool:
    """Whether the file's name is that of a video; the file is not opened."""
    return Path(path).suffix.lower() in VIDEO_SUFFIXES


def read_video(path: str | os.PathLike[str]) -> Iterator[Frame]:
    """Read a whole video, frame by frame.

    Raises:
        UsageError, ImageError, MissingExtraError: As :meth:`VideoFile.open`, at once; ImageError while
            iterating as :meth:`VideoFile.frames`.
    """
    return _frames_of(VideoFile.open(path))


def _frames_of(video: VideoFile) -> Iterator[Frame]:
    with video:
        yield from video.frames()


def _require_name(file: Path) -> None:
    if is_picture(file):  # OpenCV would go on to the next picture of a numbered series
        raise ImageError(f"{file} has the name of a picture, and a video is wanted")
    try:
        str(file).encode()
    except UnicodeEncodeError as error:  # OpenCV's binding crashes the process on such a name
        raise ImageError(f"{str(file)!a}: its name is not UTF-8", hint="rename the file") from error


def _no_frame(file: Path, promised: int | None) -> ImageError:
    of = "" if promised is None else f" of the {promised} that its header promises"
    return ImageError(
        f"{file} has no frame that can be read{of}",
        hint="the recorder may have been interrupted, or OpenCV lacks its codec",
    )


def _not_a_video(file: Path) -> ImageError:
    return ImageError(
        f"{file} cannot be read as a video",
        hint="AVI, MP4, MOV, MKV and WebM are read, where OpenCV has their codec; "
        "the file may be of another kind or damaged",
    )
