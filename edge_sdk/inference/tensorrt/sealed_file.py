"""A file that is whole or refused: a header that tells the digest of what follows it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

__all__ = ["DamagedFileError", "Seal", "read_header", "read_sealed", "write_sealed"]

_MAGIC = b"edge-sdk engine\n"
_LENGTH_BYTES = 4
_MAX_HEADER_BYTES = 1 << 16

_Header = TypeVar("_Header", bound=Struct)


class DamagedFileError(ValueError):
    """It is not what was written; the message says how that shows."""


class Seal(Struct, frozen=True, kw_only=True):
    """What every header has.

    Attributes:
        sha256: Of the content.
        bytes: Its length.
    """

    sha256: str
    bytes: int


class _Sealed(Struct, frozen=True):
    seal: Seal
    header: msgspec.Raw


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
    seal = Seal(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    head = msgspec.json.encode(_Sealed(seal, msgspec.Raw(msgspec.json.encode(header))))
    try:
        with partial.open("wb") as file:
            file.write(_MAGIC + len(head).to_bytes(_LENGTH_BYTES, "little") + head)
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
    """What a file says of itself; its content is not looked at.

    Raises:
        DamagedFileError: It has no such header.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        return _header(_head(file.read(len(_MAGIC) + _LENGTH_BYTES + _MAX_HEADER_BYTES))[0], header)


def read_sealed(path: Path, header: type[_Header]) -> tuple[_Header, memoryview]:
    """A file's header and content.

    Raises:
        DamagedFileError: A bit of it is not as it was written.
        OSError: It cannot be read.
    """
    whole = path.read_bytes()
    sealed, start = _head(whole)
    content = memoryview(whole)[start:]
    if len(content) != sealed.seal.bytes:
        raise DamagedFileError(f"it has {len(content)} bytes of {sealed.seal.bytes}")
    if hashlib.sha256(content).hexdigest() != sealed.seal.sha256:
        raise DamagedFileError("its digest is not the one that was written with it")
    return _header(sealed, header), content


def _head(whole: bytes) -> tuple[_Sealed, int]:
    start = len(_MAGIC) + _LENGTH_BYTES
    if not whole.startswith(_MAGIC) or len(whole) < start:
        raise DamagedFileError("edge-sdk did not write it")
    end = start + int.from_bytes(whole[len(_MAGIC) : start], "little")
    try:
        return msgspec.json.decode(whole[start:end], type=_Sealed), end
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedFileError(f"its header cannot be read: {error}") from error


def _header(sealed: _Sealed, header: type[_Header]) -> _Header:
    try:
        return msgspec.json.decode(sealed.header, type=header)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedFileError(f"its header does not hold: {error}") from error
