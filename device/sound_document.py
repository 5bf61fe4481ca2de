"""The JSON object of ``predict`` for recordings: one, though it may tell of every window of a night."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

import msgspec

from edge_sdk.console.foreign_text import json_text

from .recording_report import RecordingReport, WindowReport

__all__ = ["SoundDocument"]

_READ_BYTES = 4096


class SoundDocument:
    """Collects recordings and their windows, and writes them when all is known.

    Half an object must never be printed, so windows are kept until the end: compressed, about 40 bytes each
    instead of a thousand.
    """

    def __init__(self) -> None:
        self._files: list[tuple[RecordingReport, bytes]] = []
        self._separator = ""
        self._begin()

    def add_window(self, window: WindowReport) -> None:
        """Keep the next window of the recording that is being heard."""
        self._packed += self._packer.compress((self._separator + _object(window)).encode())
        self._separator = ", "

    def end_recording(self, report: RecordingReport) -> None:
        """Keep what is told of a whole recording; the next window belongs to another one."""
        self._files.append((report, bytes(self._packed) + self._packer.flush()))
        self._begin()

    def write(self, head: Mapping[str, Any], out: TextIO) -> None:
        """Write the object in one line.

        Args:
            head: What comes before ``files``.
            out: Where to.
        """
        out.write(json_text(head)[:-1] + ', "files": [')
        for index, (report, packed) in enumerate(self._files):
            out.write((", " if index else "") + _object(report)[:-1] + ', "windows": [')
            out.writelines(codecs.iterdecode(_unpacked(packed), "utf-8"))
            out.write("]}")
        out.write("]}\n")

    def _begin(self) -> None:
        self._packer = zlib.compressobj(1)
        self._packed = bytearray()
        self._separator = ""


def _object(told: RecordingReport | WindowReport) -> str:
    return json_text(msgspec.to_builtins(told))


def _unpacked(packed: bytes) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    for start in range(0, len(packed), _READ_BYTES):
        yield unpacker.decompress(packed[start : start + _READ_BYTES])
