"""A file that is whole or refused: it begins with the digest of all that follows."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

__all__ = ["DamagedFileError", "read_header", "read_seal", "read_sealed", "read_with_seal", "write_sealed"]

_MAGIC = b"edge-sdk engine\n"
_DIGEST_BYTES = 32
_LENGTH_BYTES = 4
_SEALED_FROM = len(_MAGIC) + _DIGEST_BYTES
_HEADER_FROM = _SEALED_FROM + _LENGTH_BYTES
_MAX_HEADER_BYTES = 1 << 16

_Header = TypeVar("_Header", bound=Struct)


class DamagedFileError(ValueError):
    """It is not what was written; the message says how that shows."""


def write_sealed(path: Path, header: Struct, content: bytes | memoryview, *, partial: Path) -> None:
    """Write a file in one step: it appears whole, or not at all.

    Args:
        path: Where it appears; an older one is replaced.
        header: What to tell of it.
        content: What it is about.
        partial: Where it grows, in the same folder; nobody else may write there.

    Raises:
        OSError: It cannot be written; nothing is left of it.
    """
    encoded = msgspec.json.encode(header)
    head = len(encoded).to_bytes(_LENGTH_BYTES, "little") + encoded
    digest = hashlib.sha256(head)
    digest.update(content)
    try:
        with partial.open("wb") as file:
            file.write(_MAGIC + digest.digest() + head)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    with contextlib.suppress(OSError):  # some file systems know no such thing
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_header(path: Path, header: type[_Header]) -> _Header:
    """What a file says of itself, unproved: its content is not read.

    Raises:
        DamagedFileError: It has no such header.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return _header(file.read(_HEADER_FROM + _MAX_HEADER_BYTES), header)[0]


def read_seal(path: Path) -> bytes:
    """The digest that a file begins with, unproved; of two files with the same one, the content is the same.

    Raises:
        DamagedFileError: It has none.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(_SEALED_FROM)
    if not start.startswith(_MAGIC) or len(start) < _SEALED_FROM:
        raise DamagedFileError("edge-sdk did not write it")
    return start[len(_MAGIC) :]


def read_sealed(path: Path, header: type[_Header]) -> tuple[_Header, memoryview]:
    """A file's header and content.

    Raises:
        DamagedFileError: A bit of it is not as it was written.
        OSError: It cannot be read.
    """
    found, content, _ = read_with_seal(path, header)
    return found, content


def read_with_seal(path: Path, header: type[_Header]) -> tuple[_Header, memoryview, bytes]:
    """As :func:`read_sealed`, and the seal of those very bytes, whatever replaces the file meanwhile."""
    whole = path.read_bytes()
    if not whole.startswith(_MAGIC) or len(whole) < _HEADER_FROM:
        raise DamagedFileError("edge-sdk did not write it")
    view = memoryview(whole)
    seal = hashlib.sha256(view[_SEALED_FROM:]).digest()
    if seal != view[len(_MAGIC) : _SEALED_FROM]:
        raise DamagedFileError("its digest is not the one that was written with it")
    found, end = _header(whole, header)
    return found, view[end:], seal


def _header(whole: bytes, header: type[_Header]) -> tuple[_Header, int]:
    end = _HEADER_FROM + int.from_bytes(whole[_SEALED_FROM:_HEADER_FROM], "little")
    try:
        return msgspec.json.decode(whole[_HEADER_FROM:end], type=header), end
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedFileError(f"its header does not hold: {error}") from error
