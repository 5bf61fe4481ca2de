"""The bundle: one uncompressed zip, the same bytes for the same inputs.

Opening one verifies it: the archive is safe, the manifest holds, every digest is right. Digests
find damage, not forgery; who made a bundle is known only from a signed release or from a digest
obtained elsewhere (``require_sha256``).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BundleError, DigestError, UnsafeArchiveError, UsageError
from .manifest import FileDigest, Manifest, decode_manifest, encode_manifest
from .stored_zip import ZipEntry, damaged, read_directory, read_members

if TYPE_CHECKING:
    import zipfile

__all__ = ["Bundle", "file_digest", "write_bundle"]

MANIFEST_NAME = "manifest.json"
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
MAX_BUNDLE_BYTES = 2 * 1024 * 1024 * 1024
_PART_BYTES = 1024 * 1024

_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date a zip can hold: no clock in the bytes


def file_digest(content: bytes) -> FileDigest:
    """The digest that a manifest lists for that content."""
    return FileDigest(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def write_bundle(path: Path, manifest: Manifest, members: Mapping[str, bytes]) -> str:
    """Write a bundle in one step: either the whole file appears at ``path``, or nothing.

    Args:
        path: Where it goes; an older file there is replaced.
        manifest: Lists the digest of each member.
        members: Content by name, without the manifest.

    Returns:
        SHA-256 of the file, in hex.

    Raises:
        ManifestError: No reader would accept the manifest.
        BundleError: Manifest and members disagree, or the file cannot be written.
    """
    import zipfile  # takes longer to load than a bundle takes to open, and only workstations write

    encoded = _checked_encoding(manifest)
    size = sum(map(len, members.values()))
    if size > MAX_BUNDLE_BYTES:
        raise BundleError(
            f"{path.name} would have {size} bytes, and no more than {MAX_BUNDLE_BYTES} are ever read",
            hint="put fewer variants into it: --variants",
        )
    listed = {name: file_digest(content) for name, content in members.items()}
    if listed != manifest.files:
        differing = sorted(set(listed.items()) ^ set(manifest.files.items()), key=lambda item: item[0])
        raise BundleError(f"the manifest does not describe '{differing[0][0]}' as it is")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
            _add_member(archive, MANIFEST_NAME, encoded)
            for name in sorted(members):
                _add_member(archive, name, members[name])
        digest = hashlib.sha256()
        with partial.open("rb+") as written:
            os.fsync(written.fileno())
            while part := written.read(_PART_BYTES):
                digest.update(part)
        partial.replace(path)
    except OSError as error:
        raise BundleError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):  # where it could not be written, there is nothing to remove
            partial.unlink(missing_ok=True)
    return digest.hexdigest()


def _checked_encoding(manifest: Manifest) -> bytes:
    """The manifest in JSON, read back once: structs made in Python are only checked when read."""
    encoded = encode_manifest(manifest)
    decode_manifest(encoded)
    return encoded


def _add_member(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    import zipfile

    info = zipfile.ZipInfo(name, date_time=_ZIP_EPOCH)
    info.create_system = 3  # Unix on every platform: the byte is part of the file
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    archive.writestr(info, content)


class Bundle:
    """A verified bundle in memory.

    Attributes:
        path: Where it was read from.
        manifest: What it says about itself.
        sha256: Digest of the whole file, in hex.
    """

    def __init__(self, path: Path, manifest: Manifest, sha256: str, members: Mapping[str, bytes]) -> None:
        self.path = path
        self.manifest = manifest
        self.sha256 = sha256
        self._members = dict(members)

    @classmethod
    def open(cls, path: str | Path, *, require_sha256: str | None = None) -> Bundle:
        """Read and verify a bundle.

        Args:
            path: The ``.edge`` file.
            require_sha256: Digest of the file as its maker published it.

        Raises:
            UsageError: There is no such file, or it is something else: a model, a spec, a folder.
            BundleError: It cannot be read, or is no bundle.
            UnsafeArchiveError: It is a zip that must not be unpacked.
            ManifestError: Its manifest does not hold.
            DigestError: A member, or the whole file, is not what it should be.
        """
        path = Path(path)
        try:
            return cls._open(path, require_sha256)
        except BundleError as error:
            from .file_kinds import mistaken_for  # for what went wrong alone

            mistake = mistaken_for(path, "bundle")
            if mistake is None and path.is_dir():
                mistake = f"{path} is a folder, not a bundle", "name the .edge file in it"
            if mistake is None:
                raise
            message, hint = mistake
            raise UsageError(message, hint=hint) from error

    @classmethod
    def _open(cls, path: Path, require_sha256: str | None) -> Bundle:
        members, digest = _read_file(path)
        if require_sha256 is not None and digest != require_sha256.lower():
            raise DigestError(
                f"{path} has sha256 {digest}, not the required {require_sha256}",
                hint="fetch the bundle again, and ask its maker for the digest",
            )
        manifest = decode_manifest(members.pop(MANIFEST_NAME))
        _check_digests(path, manifest, members)
        return cls(path, manifest, digest, members)

    def read(self, name: str) -> bytes:
        """The content of a member.

        Raises:
            BundleError: There is none of that name.
        """
        try:
            return self._members[name]
        except KeyError:
            raise BundleError(f"{self.path} has no member '{name}'") from None


def _read_file(path: Path) -> tuple[dict[str, bytes], str]:
    """All members of the file, and its digest."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_BUNDLE_BYTES:
                raise UnsafeArchiveError(f"{path} is larger than {MAX_BUNDLE_BYTES} bytes")
            entries = read_directory(file, path)
            manifest = _manifest_entry(path, entries)
            members, digest = read_members(file, path, entries)
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}") from error
    except OSError as error:
        raise BundleError(f"cannot read {path}: {error.strerror or error}") from error
    # The one member whose digest is listed nowhere.
    if zlib.crc32(members[MANIFEST_NAME]) != manifest.crc32:
        raise damaged(path, "its manifest is damaged")
    return members, digest


def _manifest_entry(path: Path, entries: Iterable[ZipEntry]) -> ZipEntry:
    for entry in entries:
        if entry.name == MANIFEST_NAME:
            if entry.size > MAX_MANIFEST_BYTES:
                raise UnsafeArchiveError(f"the manifest of {path} is larger than {MAX_MANIFEST_BYTES} bytes")
            return entry
    raise BundleError(f"{path} has no {MANIFEST_NAME}", hint="is it an edge-sdk bundle?")


def _check_digests(path: Path, manifest: Manifest, members: Mapping[str, bytes]) -> None:
    for name in sorted(manifest.files.keys() - members.keys()):
        raise DigestError(f"{path} lacks '{name}', which its manifest lists", hint="copy the bundle again")
    for name in sorted(members.keys() - manifest.files.keys()):
        raise DigestError(f"{path} holds '{name}', which its manifest does not list")
    for name, listed in manifest.files.items():
        if file_digest(members[name]) != listed:
            raise DigestError(
                f"'{name}' in {path} is damaged: its digest is not the one the manifest lists",
                hint="copy the bundle again",
            )
