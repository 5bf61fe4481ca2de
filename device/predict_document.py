"""The JSON object of ``predict``: one, though it may tell of every window of a night or frame of a day."""

from __future__ import annotations

import codecs
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, TextIO

import msgspec

from edge_sdk.console.foreign_text import json_text
from edge_sdk.errors import EdgeSdkError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["LABELS_TOLD", "PredictDocument"]

LABELS_TOLD = 5
"""Of each window or picture, where nothing else is asked for."""

_READ_BYTES = 65_536
_IN_MEMORY_BYTES = 1_000_000


class PredictDocument:
    """Collects files and their parts, windows or frames, and writes them when all is known.

    Half an object must never be printed, so everything is kept until the end: compressed, and beyond a
    megabyte in a temporary file. A context manager, which removes that file.

    Args:
        parts: What the parts of a file are called.
    """

    def __init__(self, parts: Literal["windows", "frames"]) -> None:
        self._parts = parts
        self._packer = zlib.compressobj(1)
        self._kept: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115  (ours)
        self._between_files = self._between_parts = ""

    def begin_file(self, file: str) -> None:
        """What follows is about this file."""
        self._keep(f'{self._between_files}{{"file": {json_text(file)}, "{self._parts}": [')
        self._between_files, self._between_parts = ", ", ""

    def add(self, part: msgspec.Struct) -> None:
        """Keep the next window or frame of the file."""
        self._keep(self._between_parts + _object(part))
        self._between_parts = ", "

    def end_file(self, report: msgspec.Struct) -> None:
        """Keep what is told of the whole file; it has a ``file`` as well, which is not repeated."""
        told = {key: value for key, value in msgspec.to_builtins(report).items() if key != "file"}
        self._keep("], " + json_text(told)[1:])

    def write(self, head: Mapping[str, Any], out: TextIO) -> None:
        """Write the object in one line.

        Args:
            head: What comes before ``files``.
            out: Where to.
        """
        with _telling_where():
            self._kept.write(self._packer.flush())
        out.write(json_text(head)[:-1] + ', "files": [')
        out.writelines(codecs.iterdecode(self._unpacked(), "utf-8"))
        out.write("]}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kept.close()

    def _keep(self, text: str) -> None:
        with _telling_where():
            self._kept.write(self._packer.compress(text.encode()))

    def _unpacked(self) -> Iterator[bytes]:
        unpacker = zlib.decompressobj()
        self._kept.seek(0)
        while packed := self._kept.read(_READ_BYTES):
            # A quiet night packs a thousandfold: no more of it is unpacked at a time than is written.
            while packed:
                yield unpacker.decompress(packed, _READ_BYTES)
                packed = unpacker.unconsumed_tail


@contextmanager
def _telling_where() -> Iterator[None]:
    """Name the folder where temporary files go, if one cannot be written."""
    try:
        yield
    except OSError as error:
        raise EdgeSdkError(
            f"cannot keep what is to be printed in {tempfile.gettempdir()}: {error.strerror or error}",
            hint="set TMPDIR to a folder with room, or leave single windows and frames out with --summary",
        ) from error


def _object(told: msgspec.Struct) -> str:
    return json_text(msgspec.to_builtins(told))
