"""Zip archives whose members are stored as they are, read once from front to back.

A bundle is one, and the standard library's reader does more than it needs: it takes longer to load than a
bundle takes to open, and holds the file and every member in memory at once. This one knows nothing of
compression, and refuses what only hostile archives have: members that share bytes, leave the folder, or
are no plain files.

Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from ..errors import BundleError, UnsafeArchiveError

__all__ = ["MAX_MEMBERS", "ZipEntry", "damaged", "read_directory", "read_members"]

MAX_MEMBERS = 256

_LOCAL = struct.Struct("<4s22x2H")  # signature; lengths of name and extra field
_CENTRAL = struct.Struct("<4s4x2H4x3L3H4x2L")
_END = struct.Struct("<4s2H2H2LH")
_LOCAL_SIGNATURE, _CENTRAL_SIGNATURE, _END_SIGNATURE = b"PK\3\4", b"PK\1\2", b"PK\5\6"

_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_STORED = 0


class ZipEntry(Struct, frozen=True, kw_only=True):
    """What the archive's directory says of one member.

    Attributes:
        name: With ``/`` between its parts.
        size: In bytes.
        crc32: Of the content.
        offset: Where in the file its local header begins, which stands before the content.
    """

    name: str
    size: int
    crc32: int
    offset: int


def read_directory(file: BinaryIO, path: Path) -> list[ZipEntry]:
    """Read which members there are, in the order in which they lie in the file.

    Args:
        file: Open for reading, from its first byte on.
        path: What to call it in messages.

    Raises:
        BundleError: It is no zip, or is cut off.
        UnsafeArchiveError: A member is not stored, not a plain file, or has an unsafe or a second name.
    """
    size = os.fstat(file.fileno()).st_size
    count, start, length = _read_end(file, path, size)
    if count > MAX_MEMBERS:
        raise UnsafeArchiveError(f"{path} has {count} members, more than {MAX_MEMBERS}")
    file.seek(start)
    directory = _read(file, path, length)
    entries: dict[str, ZipEntry] = {}
    place = 0
    for _ in range(count):
        entry, place = _read_entry(directory, place, path)
        if entry.name in entries:
            raise UnsafeArchiveError(f"{path} has two members named '{entry.name}'")
        entries[entry.name] = entry
    if place != length:
        raise damaged(path, "its directory lists less than it holds")
    return sorted(entries.values(), key=lambda entry: entry.offset)


def read_members(file: BinaryIO, path: Path, entries: list[ZipEntry]) -> tuple[dict[str, bytes], str]:
    """Read all that is in the file, once.

    Args:
        file: The one that ``entries`` were read from.
        path: What to call it in messages.
        entries: All members, in the order in which they lie in the file.

    Returns:
        The content of each member by name, and the SHA-256 of the whole file, in hex.

    Raises:
        BundleError: The file is cut off, or a member does not begin where it should.
        UnsafeArchiveError: Members share bytes.
    """
    digest = hashlib.sha256()
    members: dict[str, bytes] = {}
    file.seek(0)
    end = 0
    for entry in entries:
        if entry.offset < end:
            raise UnsafeArchiveError(f"{path} has members that overlap: '{entry.name}'")
        digest.update(_read(file, path, entry.offset - end))
        header = _read_local_header(file, path, entry)
        content = _read(file, path, entry.size)
        digest.update(header)
        digest.update(content)
        members[entry.name] = content
        end = entry.offset + len(header) + entry.size
    digest.update(file.read())
    return members, digest.hexdigest()


def damaged(path: Path, what: str) -> BundleError:
    """The error for a file that is no archive, or no longer one."""
    return BundleError(f"{path} is not a readable bundle: {what}", hint="copy it again; it may be truncated")


def _read_end(file: BinaryIO, path: Path, size: int) -> tuple[int, int, int]:
    """How many members there are, and where the directory begins and how long it is."""
    if size < _END.size:
        raise damaged(path, "it is too short")
    file.seek(size - _END.size)
    signature, disk, first_disk, here, count, length, start, comment = _END.unpack(
        _read(file, path, _END.size)
    )
    if signature != _END_SIGNATURE or comment:
        file.seek(0)
        if _read(file, path, len(_LOCAL_SIGNATURE)) != _LOCAL_SIGNATURE:
            raise BundleError(
                f"{path} is not a bundle: it neither begins nor ends as one",
                hint="`edge-sdk convert` writes bundles, as .edge files; if this is one, copy it again",
            )
        raise damaged(path, "it does not end as a zip does")
    if (disk, first_disk, here) != (0, 0, count) or start + length != size - _END.size:
        raise damaged(path, "its directory is not where it should be")
    return count, start, length


def _read_entry(directory: bytes, place: int, path: Path) -> tuple[ZipEntry, int]:
    """One entry of the directory, and where the next one begins."""
    name_at = place + _CENTRAL.size
    if name_at > len(directory):
        raise damaged(path, "its directory is cut off")
    signature, flags, method, crc32, packed, size, name_length, extra, comment, attributes, offset = (
        _CENTRAL.unpack_from(directory, place)
    )
    if signature != _CENTRAL_SIGNATURE:
        raise damaged(path, "its directory does not hold")
    try:
        name = directory[name_at : name_at + name_length].decode()
    except UnicodeDecodeError as error:
        raise damaged(path, "a member's name is no text") from error
    _check_name(name, path)
    if name.endswith("/") or stat.S_IFMT(attributes >> 16) not in (0, stat.S_IFREG):
        raise UnsafeArchiveError(f"{path} has a member that is no plain file: '{name}'")
    if method != _STORED or packed != size:
        raise UnsafeArchiveError(f"{path} has a compressed member '{name}'; bundles are stored")
    if flags & _ENCRYPTED:
        raise UnsafeArchiveError(f"{path} has an encrypted member '{name}'")
    entry = ZipEntry(name=name, size=size, crc32=crc32, offset=offset)
    return entry, name_at + name_length + extra + comment


def _check_name(name: str, path: Path) -> None:
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/") or ":" in name:
        raise UnsafeArchiveError(f"{path} has a member with the unsafe name {name!r}")


def _read_local_header(file: BinaryIO, path: Path, entry: ZipEntry) -> bytes:
    """What stands before a member's content, up to its first byte."""
    fixed = _read(file, path, _LOCAL.size)
    signature, name_length, extra_length = _LOCAL.unpack(fixed)
    rest = _read(file, path, name_length + extra_length)
    if signature != _LOCAL_SIGNATURE or rest[:name_length] != entry.name.encode():
        raise damaged(path, f"'{entry.name}' differs from what the directory says")
    return fixed + rest


def _read(file: BinaryIO, path: Path, size: int) -> bytes:
    content = file.read(size)
    if len(content) != size:
        raise damaged(path, "it is cut off")
    return content
