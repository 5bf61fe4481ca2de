"""Pictures as an MP4, through OpenCV's FFmpeg (MPEG-4 part 2: the codec that its wheels can write)."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, final

from ..contract.values import Pixels
from ..errors import ImageError, UsageError
from .opencv import load_opencv

__all__ = ["VideoWriter"]

_CODEC = "mp4v"


@final
class VideoWriter:
    """Writes one video; a context manager. The file appears when the block ends without an error.

    Args:
        path: Ends in ``.mp4``; an older file there is replaced.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f".{path.stem}.{os.getpid()}.partial.mp4")
        self._writer: Any = None
        self._frames = 0
        self._size = (0, 0)

    def write(self, pixels: Pixels, frame_rate_hz: float) -> None:
        """Write the next frame. All have the first one's size and rate.

        Raises:
            UsageError: The file cannot be written.
            ImageError: The frame is of another size.
            MissingExtraError: OpenCV is not installed.
        """
        size = (pixels.shape[1], pixels.shape[0])
        if self._writer is None:
            self._open(size, frame_rate_hz)
        if size != self._size:
            raise ImageError(f"{self._path} has frames of {self._size}, and cannot take one of {size}")
        self._writer.write(pixels)
        self._frames += 1

    def _open(self, size: tuple[int, int], frame_rate_hz: float) -> None:
        cv = load_opencv()
        try:
            str(self._partial).encode()
        except UnicodeEncodeError as error:  # OpenCV's binding crashes the process on such a name
            raise UsageError(
                f"cannot write {str(self._path)!a}: its name is not UTF-8", hint="choose another folder"
            ) from error
        self._writer = cv.VideoWriter(str(self._partial), cv.VideoWriter.fourcc(*_CODEC), frame_rate_hz, size)
        self._size = size
        if not self._writer.isOpened():
            self._partial.unlink(missing_ok=True)
            raise UsageError(
                f"cannot write {self._path}", hint="is its folder writable, and has OpenCV FFmpeg?"
            )

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is None:
            return
        self._writer.release()
        try:
            if kind is None:
                self._require_whole()
                self._partial.replace(self._path)
        finally:
            self._partial.unlink(missing_ok=True)

    def _require_whole(self) -> None:
        """OpenCV does not tell of a disk that is full; a file cut off has not the index of its frames."""
        cv = load_opencv()
        written = cv.VideoCapture(str(self._partial))
        frames = int(written.get(cv.CAP_PROP_FRAME_COUNT)) if written.isOpened() else 0
        written.release()
        if frames != self._frames:
            raise UsageError(
                f"cannot write {self._path}: of {self._frames} frames {max(0, frames)} arrived",
                hint="is the disk full?",
            )
