from __future__ import annotations

from pathlib import Path

import pytest

from device.sources.uri import SourceAddress, absolute_source, parse_source
from edge_sdk.errors import UsageError


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("dawn.wav", SourceAddress(Path("dawn.wav"))),
        ("/data/dawn.wav?channel=2", SourceAddress(Path("/data/dawn.wav"), channel=2)),
        ("file:///data/dawn.wav", SourceAddress(Path("/data/dawn.wav"))),
        ("file://localhost/data/dawn.wav", SourceAddress(Path("/data/dawn.wav"))),
        ("file://clips/dawn.wav", SourceAddress(Path("clips/dawn.wav"))),
        ("file:///a%20b.wav", SourceAddress(Path("/a b.wav"))),
        ("FILE:///data?pace=realtime", SourceAddress(Path("/data"), realtime=True)),
        (
            "file:///data?contiguous=true&channel=1&pace=none",
            SourceAddress(Path("/data"), channel=1, contiguous=True),
        ),
    ],
)
def test_uri_is_read(uri: str, address: SourceAddress) -> None:
    assert parse_source(uri) == address


def test_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ranger")
    assert parse_source("~/dawn.wav").path == Path("/home/ranger/dawn.wav")


@pytest.mark.parametrize("uri", ["~nosuch/x.wav", "file://~nosuch/x.wav?channel=1"])
def test_the_home_of_nobody_is_wrong_use(uri: str) -> None:
    with pytest.raises(UsageError, match="cannot find the home folder in ~nosuch"):
        parse_source(uri)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("dawn.wav", "/boxes/a b%/dawn.wav"),
        ("file://dawn.wav", "/boxes/a b%/dawn.wav"),
        ("file://clips/a%20b.wav?channel=1", "/boxes/a b%/clips/a b.wav"),
        ("clips?contiguous=true", "/boxes/a b%/clips"),
        ("file:///data/dawn.wav", "/data/dawn.wav"),
        ("file://localhost/data/dawn.wav", "/data/dawn.wav"),
        ("/data?pace=realtime", "/data"),
    ],
)
def test_a_relative_source_is_taken_from_its_folder(uri: str, path: str) -> None:
    assert parse_source(absolute_source(uri, Path("/boxes/a b%"))).path == Path(path)


def test_a_question_mark_in_a_file_name_is_no_parameter(tmp_path: Path) -> None:
    odd = tmp_path / "what?.wav"
    odd.touch()
    assert parse_source(str(odd)).path == odd


@pytest.mark.parametrize(
    ("uri", "message", "hint"),
    [
        ("flie:///x.wav", "unknown kind of source 'flie://'", "file://"),
        ("gopher://x", "unknown kind of source", "file://PATH"),
        ("x.wav?chanel=1", "unknown parameter 'chanel'", "channel"),
        ("x.wav?loud=1", "unknown parameter 'loud'", "pace"),
        ("x.wav?channel=0", "channel '0'", "count from 1"),
        ("x.wav?channel=left", "channel 'left'", "count from 1"),
        ("x.wav?channel=1&channel=2", "given twice", ""),
        ("x.wav?pace=slow", "pace=slow", "realtime"),
        ("x.wav?contiguous=yes", "contiguous=yes", "true"),
    ],
)
def test_a_uri_that_does_not_hold_is_wrong_use(uri: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        parse_source(uri)
    assert hint in (refused.value.hint or "")
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    "uri", ["mic://default", "alsa://hw:1", "v4l2:///dev/video0", "csi://0", "rtsp://camera/1"]
)
def test_what_comes_later_is_refused_by_name(uri: str) -> None:
    with pytest.raises(UsageError, match="not in this release"):
        parse_source(uri)
