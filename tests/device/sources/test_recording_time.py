from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from device.sources.recording_time import time_in_name

MIDNIGHT = datetime(2019, 5, 22, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("S4A03895_20190522_000000.wav", MIDNIGHT),
        ("20190522_000000.WAV", MIDNIGHT),
        ("20190522_000000T.WAV", MIDNIGHT),
        ("20190522_235959_250.wav", MIDNIGHT.replace(hour=23, minute=59, second=59, microsecond=250_000)),
        ("20190522_000001.123456.flac", MIDNIGHT.replace(second=1, microsecond=123_456)),
        ("box7-2019-05-22T01-02-03Z.ogg", MIDNIGHT.replace(hour=1, minute=2, second=3)),
    ],
)
def test_time_is_read_from_the_name(name: str, moment: datetime) -> None:
    assert time_in_name(Path("/data") / name) == moment


@pytest.mark.parametrize(
    "name",
    ["1-100032-A.ogg", "dawn.wav", "20191322_000000.wav", "20190522_250000.wav", "120190522_000000.wav"],
)
def test_what_is_no_time_is_none(name: str) -> None:
    assert time_in_name(Path(name)) is None


@pytest.mark.parametrize(
    "name", ["00010101_000000.wav", "19691231_235959.wav", "22000101_000000.wav", "99991231_235959.wav"]
)
def test_a_year_that_no_recorder_saw_is_no_time(name: str) -> None:
    assert time_in_name(Path(name)) is None


def test_a_clock_that_was_never_set_is_still_a_time() -> None:
    assert time_in_name(Path("19700101_000012.WAV")) == datetime(1970, 1, 1, 0, 0, 12, tzinfo=timezone.utc)
