"""Lines for people, for as long as somebody reads them."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

__all__ = ["LineWriter", "discard", "write_any_character"]


class LineWriter:
    """Writes lines to a stream, each at once; from any thread.

    Where the reader goes away (``| head``) or the disk is full, it says so once on stderr and goes on
    in silence: whether somebody reads along must not decide whether a device listens.

    Args:
        stream: Standard output or standard error.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream

    def __call__(self, line: str) -> None:
        """Write one line."""
        if self._stream is None:
            return
        try:
            print(line, file=self._stream, flush=True)
        except OSError as error:
            lost, self._stream = self._stream, None
            discard(lost)
            if lost is not sys.stderr:
                message = f"{error.strerror or error}: nothing more is said here, the work goes on"
                LineWriter(sys.stderr)(message)


def discard(stream: TextIO) -> None:
    """Lead to nowhere what a stream still holds and gets, or the interpreter fails over it at exit."""
    try:
        number = stream.fileno()
    except io.UnsupportedOperation:  # it is no file
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def write_any_character(stream: TextIO) -> None:
    """Escape what the stream's encoding cannot write, rather than fail over it."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
