"""Whether a WAV or OGG file ends otherwise than it promises: cut off, or never completed.

libsndfile reads such files without a word: it trusts the size of a WAV file over its
header, and takes the last whole page of an OGG file for the end.

Formats: Multimedia Programming Interface and Data Specifications 1.0 (RIFF, 1991);
EBU Tech 3306 (RF64); RFC 3533 (Ogg).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO

from ..errors import AudioError

__all__ = ["bytes_after_empty_data", "ends_early"]

# Programs that write to a pipe leave a size of about 2 or 4 GiB: it means "until the end".
_UNKNOWN_WAV_SIZE = 0x7FFF_0000
_CHUNK_NAME = re.compile(rb"[ -~]{4}")
_OGG_HEADER = 27
_LARGEST_OGG_PAGE = _OGG_HEADER + 255 + 255 * 255
_OGG_END_OF_STREAM = 0x04


def ends_early(path: Path) -> bool:
    """Whether a WAV file is shorter than its header says, or an OGG file lacks its last page.

    False for all other files, and for WAV files whose header leaves the length open.

    Raises:
        AudioError: The file can no longer be read.
    """
    try:
        with path.open("rb") as content:
            magic = content.read(12)
            if magic[:4] in (b"RIFF", b"RF64") and magic[8:] == b"WAVE":
                return _wav_ends_early(content)
            if magic[:4] == b"OggS":
                return _ogg_ends_early(content)
    except OSError as error:
        raise AudioError(f"{path} can no longer be read: {error.strerror}") from error
    return False


def bytes_after_empty_data(path: Path) -> int:
    """How many bytes follow the header of a WAV file that says it holds no sound.

    Recorders write the length last: where power fails, the sound is there and the header says 0.

    Returns:
        0 for all other files, and where nothing but further chunks follows.

    Raises:
        AudioError: The file can no longer be read.
    """
    try:
        with path.open("rb") as content:
            magic = content.read(12)
            if magic[:4] not in (b"RIFF", b"RF64") or magic[8:] != b"WAVE":
                return 0
            return _wav_bytes_after_empty_data(content)
    except OSError as error:
        raise AudioError(f"{path} can no longer be read: {error.strerror}") from error


def _wav_bytes_after_empty_data(content: BinaryIO) -> int:
    size_of_file = os.fstat(content.fileno()).st_size
    end_of_data: int | None = None
    while len(header := content.read(8)) == 8:
        name, size = header[:4], int.from_bytes(header[4:], "little")
        if name == b"data" and size == 0:
            end_of_data = content.tell()
        if not _CHUNK_NAME.fullmatch(name):
            break
        content.seek(size + size % 2, os.SEEK_CUR)
    if end_of_data is None or (not header and content.tell() == size_of_file):
        return 0
    return size_of_file - end_of_data


def _wav_ends_early(content: BinaryIO) -> bool:
    size_of_file = os.fstat(content.fileno()).st_size
    rf64_data_size: int | None = None
    while len(header := content.read(8)) == 8:
        name, size = header[:4], int.from_bytes(header[4:], "little")
        if name == b"ds64":
            rf64_data_size = int.from_bytes(content.read(16)[8:], "little")
            content.seek(-16, os.SEEK_CUR)
        if name == b"data":
            if rf64_data_size is None and size >= _UNKNOWN_WAV_SIZE:
                return False
            return content.tell() + (rf64_data_size or size) > size_of_file
        content.seek(size + size % 2, os.SEEK_CUR)
    return False


def _ogg_ends_early(content: BinaryIO) -> bool:
    size_of_file = content.seek(0, os.SEEK_END)
    content.seek(max(0, size_of_file - _LARGEST_OGG_PAGE))
    tail = content.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < _OGG_HEADER or not page[5] & _OGG_END_OF_STREAM:
        return True
    segments = page[_OGG_HEADER : _OGG_HEADER + page[26]]
    return len(page) < _OGG_HEADER + page[26] + sum(segments)
