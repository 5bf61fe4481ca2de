"""Pictures as an MP4, through OpenCV's FFmpeg (MPEG-4 part 2: the codec that its wheels can write)."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, final

from ..contract.values import Pixels
from ..errors import UsageError
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
        self._size = (0, 0)

    def write(self, pixels: Pixels, frame_rate_hz: float) -> None:
        """Write the next frame. All have the first one's size and rate.

        Raises:
            UsageError: The file cannot be written, or the frame is of another size.
            MissingExtraError: OpenCV is not installed.
        """
        size = (pixels.shape[1], pixels.shape[0])
        if self._writer is None:
            self._open(size, frame_rate_hz)
        if size != self._size:
            raise UsageError(f"{self._path} has frames of {self._size}, and cannot take one of {size}")
        self._writer.write(pixels)

    def _open(self, size: tuple[int, int], frame_rate_hz: float) -> None:
        cv = load_opencv()
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
        if kind is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)
