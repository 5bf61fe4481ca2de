"""A bundle is the same bytes for the same inputs, and is believed only after all of it was checked."""

from __future__ import annotations

import json
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from example_contract import example_manifest, example_members

from edge_sdk.contract import bundle
from edge_sdk.contract.bundle import Bundle, file_digest, write_bundle
from edge_sdk.contract.manifest import encode_manifest
from edge_sdk.errors import (
    BundleError,
    DigestError,
    ManifestError,
    UnsafeArchiveError,
    UsageError,
)

NOBODY = 65_534


@pytest.fixture
def bundle_path(tmp_path: Path) -> Path:
    path = tmp_path / "example.edge"
    write_bundle(path, example_manifest(), example_members())
    return path


def hand_made(path: Path, members: dict[str, bytes], manifest: bytes | None = None) -> Path:
    """A zip as a stranger would make it; our own writer refuses most of what is tried here."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "manifest.json", encode_manifest(example_manifest()) if manifest is None else manifest
        )
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def changed_manifest(**changes: object) -> bytes:
    document = json.loads(encode_manifest(example_manifest()))
    return json.dumps({**document, **changes}).encode()


# --- writing ---


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    members = example_members()
    backwards = dict(reversed(members.items()))
    first = write_bundle(tmp_path / "a.edge", example_manifest(), members)
    second = write_bundle(tmp_path / "b.edge", example_manifest(), backwards)
    assert (tmp_path / "a.edge").read_bytes() == (tmp_path / "b.edge").read_bytes()
    assert first == second == file_digest((tmp_path / "a.edge").read_bytes()).sha256


def test_what_was_written_is_read_back(bundle_path: Path) -> None:
    bundle = Bundle.open(bundle_path)
    assert bundle.manifest == example_manifest()
    assert {name: bundle.read(name) for name in example_members()} == example_members()
    with pytest.raises(BundleError, match="no member 'models/none'"):
        bundle.read("models/none")


def test_what_nobody_would_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MAX_BUNDLE_BYTES", sum(map(len, example_members().values())) - 1)
    with pytest.raises(BundleError, match=r"x\.edge would have \d+ bytes") as caught:
        write_bundle(tmp_path / "x.edge", example_manifest(), example_members())
    assert "--variants" in (caught.value.hint or "")
    assert list(tmp_path.iterdir()) == []


def test_members_that_the_manifest_does_not_describe_are_not_written(tmp_path: Path) -> None:
    members = {**example_members(), "report.json": b"changed"}
    with pytest.raises(BundleError, match=r"does not describe 'report\.json'"):
        write_bundle(tmp_path / "x.edge", example_manifest(), members)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_no_reader_would_accept_is_not_written(tmp_path: Path) -> None:
    unreadable = msgspec.structs.replace(example_manifest(), name="Forest Sounds!")
    with pytest.raises(ManifestError, match="name"):
        write_bundle(tmp_path / "x.edge", unreadable, example_members())
    assert list(tmp_path.iterdir()) == []


@contextmanager
def without_root() -> Iterator[None]:
    """Root may write anywhere; for a moment we are somebody else."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_read_only_folder_is_a_clear_error(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with without_root(), pytest.raises(BundleError, match=r"cannot write .*x\.edge: Permission denied"):
        write_bundle(folder / "x.edge", example_manifest(), example_members())
    assert list(folder.iterdir()) == []


def test_a_file_in_place_of_the_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BundleError, match="Not a directory"):
        write_bundle(tmp_path / "file" / "x.edge", example_manifest(), example_members())


def test_an_older_bundle_stays_whole_when_the_new_one_is_refused(bundle_path: Path) -> None:
    before = bundle_path.read_bytes()
    with pytest.raises(BundleError):
        write_bundle(bundle_path, example_manifest(), {})
    assert bundle_path.read_bytes() == before


# --- digests ---


def test_required_digest_is_compared(bundle_path: Path) -> None:
    digest = file_digest(bundle_path.read_bytes()).sha256
    assert Bundle.open(bundle_path, require_sha256=digest.upper()).sha256 == digest
    with pytest.raises(DigestError, match="not the required"):
        Bundle.open(bundle_path, require_sha256="0" * 64)


def test_member_with_another_content_is_found(tmp_path: Path) -> None:
    members = {**example_members(), "models/example.tflite": b"not a modem"}
    with pytest.raises(DigestError, match=r"models/example\.tflite"):
        Bundle.open(hand_made(tmp_path / "x.edge", members))


def test_member_that_is_missing_is_found(tmp_path: Path) -> None:
    members = example_members()
    del members["report.json"]
    with pytest.raises(DigestError, match=r"lacks 'report\.json'"):
        Bundle.open(hand_made(tmp_path / "x.edge", members))


def test_member_that_nobody_listed_is_found(tmp_path: Path) -> None:
    with pytest.raises(DigestError, match="does not list"):
        Bundle.open(hand_made(tmp_path / "x.edge", {**example_members(), "models/extra": b"?"}))


# --- manifests from elsewhere ---


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (b"", "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"[]", "cannot be read"),
        (changed_manifest(schema_version="2.0"), "schema version 2.0"),
        (changed_manifest(inputs=[{"kind": "smell"}]), "smell"),
        (changed_manifest(task="detect"), "task"),
        (changed_manifest(labels=[]), "labels"),
        (changed_manifest(labels=[{"id": "gunshot\n", "name": "x"}]), "labels"),
        (changed_manifest(stages=[{"name": "classify", "variants": []}]), "variants"),
        (changed_manifest(labels=[{"id": i, "name": i} for i in ("gunshot", "chainsaw")]), "another order"),
    ],
)
def test_a_manifest_that_does_not_hold_is_refused(tmp_path: Path, manifest: bytes, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        Bundle.open(hand_made(tmp_path / "x.edge", example_members(), manifest))


# --- hostile and damaged archives ---


@pytest.mark.parametrize(
    "name", ["../outside", "models/../../outside", "/etc/passwd", "C:/windows", "models\\..\\x", "a/../b"]
)
def test_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = hand_made(tmp_path / "x.edge", {**example_members(), name: b""})
    with pytest.raises(UnsafeArchiveError, match="unsafe name"):
        Bundle.open(path)


def test_compressed_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.edge"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(50_000_000))
    with pytest.raises(UnsafeArchiveError, match="compressed"):
        Bundle.open(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "x.edge", example_members())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("report.json", b"other")
    with pytest.raises(UnsafeArchiveError, match="two members"):
        Bundle.open(path)


def test_symbolic_link_is_refused(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "x.edge", example_members())
    link = zipfile.ZipInfo("models/link")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafeArchiveError, match="no plain file"):
        Bundle.open(path)


def test_directory_entry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchiveError, match="no plain file"):
        Bundle.open(hand_made(tmp_path / "x.edge", {**example_members(), "models/": b""}))


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    path = hand_made(tmp_path / "x.edge", {f"models/{index}": b"" for index in range(300)})
    with pytest.raises(UnsafeArchiveError, match="301 members"):
        Bundle.open(path)


def test_members_that_share_bytes_are_refused(bundle_path: Path) -> None:
    content = bytearray(bundle_path.read_bytes())
    entries = _central_entries(bytes(content))
    # Let the last member claim the place of the first: unpacking would use those bytes twice.
    struct.pack_into("<I", content, entries[-1] + 42, struct.unpack_from("<I", content, entries[0] + 42)[0])
    bundle_path.write_bytes(content)
    with pytest.raises(BundleError, match=r"overlap|Overlap|differ"):
        Bundle.open(bundle_path)


def _central_entries(content: bytes) -> list[int]:
    places, place = [], content.find(b"PK\x01\x02")
    while place >= 0:
        places.append(place)
        place = content.find(b"PK\x01\x02", place + 1)
    return places


@pytest.mark.parametrize("keep", [0, 1, 100, -1, -22, -100])
def test_truncated_file_is_refused(bundle_path: Path, keep: int) -> None:
    bundle_path.write_bytes(bundle_path.read_bytes()[:keep])
    with pytest.raises(BundleError, match=r"truncated|not a readable"):
        Bundle.open(bundle_path)


def test_other_zip_says_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", b"hello")
    with pytest.raises(BundleError, match=r"no manifest\.json"):
        Bundle.open(path)


def test_missing_file_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file"):
        Bundle.open(tmp_path / "none.edge")


def test_folder_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder, not a bundle") as caught:
        Bundle.open(tmp_path)
    assert caught.value.hint == "name the .edge file in it"
