"""Archives are read as the standard library reads them, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import io
import string
import struct
import zipfile
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.stored_zip import read_directory, read_members
from edge_sdk.errors import BundleError, UnsafeArchiveError

names = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=12).filter(
    lambda name: name != ".."
)
archives = st.dictionaries(names, st.binary(max_size=200), max_size=6)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archives") / "x.zip"


def read(path: Path) -> tuple[dict[str, bytes], str]:
    with path.open("rb") as file:
        return read_members(file, path, read_directory(file, path))


def written(members: dict[str, bytes], extra: bytes = b"") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            info = zipfile.ZipInfo(name)
            info.extra = extra
            archive.writestr(info, member)
    return content.getvalue()


@given(members=archives, extra=st.sampled_from([b"", struct.pack("<2H4s", 0x7075, 4, b"time")]))
def test_what_the_standard_library_writes_is_read(
    path: Path, members: dict[str, bytes], extra: bytes
) -> None:
    content = written(members, extra)
    path.write_bytes(content)
    assert read(path) == (members, hashlib.sha256(content).hexdigest())


class Pipe:
    """A file that cannot go back, so that sizes are written behind the members."""

    def __init__(self) -> None:
        self.content = b""

    def write(self, part: bytes) -> int:
        self.content += part
        return len(part)

    def flush(self) -> None:
        pass


def test_sizes_behind_the_members_are_no_hindrance(path: Path) -> None:
    pipe = Pipe()
    with zipfile.ZipFile(cast("BinaryIO", pipe), "w") as archive:
        archive.writestr("a", b"first")
        archive.writestr("b", b"second")
    path.write_bytes(pipe.content)
    assert read(path) == ({"a": b"first", "b": b"second"}, hashlib.sha256(pipe.content).hexdigest())


flips = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4)


@given(members=archives.filter(bool), damage=flips)
def test_a_damaged_archive_is_not_read_as_another_one_than_by_the_standard_library(
    path: Path, members: dict[str, bytes], damage: list[tuple[float, int]]
) -> None:
    content = bytearray(written(members))
    for place, flip in damage:
        content[int(place * len(content))] ^= flip
    path.write_bytes(content)
    with contextlib.suppress(BundleError, *REFUSED):
        found, _ = read(path)
        assert found == _read_by_the_standard_library(bytes(content))


REFUSED = (zipfile.BadZipFile, NotImplementedError, RuntimeError)


def _read_by_the_standard_library(content: bytes) -> dict[str, bytes]:
    """All members, without its check of their checksums: a bundle has better ones."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {}
        for info in archive.infolist():
            with archive.open(info) as member:
                member._expected_crc = None  # type: ignore[attr-defined]
                members[info.filename] = member.read()
        return members


MEMBERS = {"a": b"first", "b": b"second"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "too short"),
        (written(MEMBERS)[:60], "does not end as a zip does"),
        (b"before" + written(MEMBERS), "directory is not where it should be"),
        (written(MEMBERS) + b"behind", "does not end as a zip does"),
        (written(MEMBERS)[:40] + written(MEMBERS)[41:], "directory is not where it should be"),
    ],
)
def test_bytes_that_belong_to_no_archive_are_refused(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(BundleError, match=f"not a readable bundle: .*{message}"):
        read(path)


def test_what_was_never_an_archive_is_not_called_truncated(path: Path) -> None:
    path.write_text("<html>" + 100 * " " + "</html>")
    with pytest.raises(BundleError, match="is not a bundle: it neither begins nor ends as one") as caught:
        read(path)
    assert "edge-sdk convert" in (caught.value.hint or "")


def test_a_directory_that_lists_less_than_it_holds_is_refused(path: Path) -> None:
    content = bytearray(written(MEMBERS))
    struct.pack_into("<2H", content, len(content) - 14, 1, 1)
    path.write_bytes(content)
    with pytest.raises(BundleError, match="lists less than it holds"):
        read(path)


def test_an_encrypted_member_is_refused(path: Path) -> None:
    content = bytearray(written(MEMBERS))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(UnsafeArchiveError, match="encrypted member 'a'"):
        read(path)
