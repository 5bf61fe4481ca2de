from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from device.sources import open_source
from device.sources.audio_directory import AudioDirectorySource
from device.sources.meeting import gap_between
from edge_sdk.contract.values import AudioBlock, End, Gap, SourceItem
from edge_sdk.errors import SourceError, UsageError

RATE_HZ = 8_000
MIDNIGHT = datetime(2019, 5, 22, tzinfo=timezone.utc)


def recording(folder: Path, name: str, seconds: float, level: float = 0.25, rate_hz: int = RATE_HZ) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(round(seconds * rate_hz), level, np.float32), rate_hz, subtype="PCM_16")
    return path


def gaps(items: list[SourceItem]) -> list[Gap]:
    return [item for item in items if isinstance(item, Gap)]


def sound_s(items: list[SourceItem]) -> float:
    return sum(len(item.samples) / item.sample_rate_hz for item in items if isinstance(item, AudioBlock))


def test_files_that_meet_go_on_without_a_gap(tmp_path: Path) -> None:
    recording(tmp_path, "B_20190522_000001_250.wav", 1.0)
    recording(tmp_path, "A_20190522_000000.wav", 1.27)  # 20 ms too long: still within 50 ms
    source = open_source(str(tmp_path))
    items = list(source.items())
    assert gaps(items) == []
    assert sound_s(items) == pytest.approx(2.27)
    assert items[-1] == End()
    assert (source.started_at, source.clock_source) == (MIDNIGHT, "file_name")


def test_files_are_played_in_the_order_of_their_times_with_gaps_as_long_as_the_times_say(
    tmp_path: Path,
) -> None:
    recording(tmp_path, "z_20190522_000000.wav", 1.0, level=0.1)
    recording(tmp_path, "sub/a_20190522_010000.wav", 1.0, level=0.2)
    recording(tmp_path, "._z_20190522_000000.wav", 1.0)  # what macOS leaves behind
    items = list(open_source(str(tmp_path)).items())
    assert gaps(items) == [Gap(3_599 * RATE_HZ, RATE_HZ, "not_contiguous", MIDNIGHT + timedelta(hours=1))]
    first = next(item for item in items if isinstance(item, AudioBlock))
    assert first.samples[0] == pytest.approx(0.1, abs=1e-4)
    assert sound_s(items) == pytest.approx(2.0)


def test_names_without_times_have_gaps_of_unknown_length_unless_said_to_be_contiguous(tmp_path: Path) -> None:
    recording(tmp_path, "a.wav", 1.0)
    recording(tmp_path, "b.wav", 1.0)
    source = open_source(str(tmp_path))
    assert [(gap.samples, gap.reason) for gap in gaps(list(source.items()))] == [(0, "not_contiguous")]
    assert source.clock_source == "file_mtime"
    assert source.started_at is not None
    assert gaps(list(open_source(f"{tmp_path}?contiguous=true").items())) == []


def test_rates_may_differ_within_a_directory(tmp_path: Path) -> None:
    recording(tmp_path, "a.wav", 1.0, rate_hz=8_000)
    recording(tmp_path, "b.wav", 1.0, rate_hz=44_100)
    items = list(open_source(f"{tmp_path}?contiguous=true").items())
    assert {item.sample_rate_hz for item in items if isinstance(item, AudioBlock)} == {8_000, 44_100}
    assert sound_s(items) == pytest.approx(2.0)


def test_a_broken_file_is_reported_and_becomes_a_gap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recording(tmp_path, "20190522_000000.wav", 1.0)
    (tmp_path / "20190522_000001.wav").write_bytes(b"no sound at all")
    recording(tmp_path, "20190522_000002.wav", 1.0)
    with caplog.at_level(logging.WARNING):
        items = list(open_source(str(tmp_path)).items())
    assert gaps(items) == [Gap(RATE_HZ, RATE_HZ, "unreadable_file", MIDNIGHT + timedelta(seconds=2))]
    assert "20190522_000001.wav" in caplog.text


def test_a_broken_file_is_a_gap_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "20190522_000000.wav").write_bytes(b"")
    recording(tmp_path, "20190522_000001.wav", 1.0)
    (tmp_path / "20190522_000002.wav").write_bytes(b"")
    items = list(open_source(str(tmp_path)).items())
    assert [type(item) for item in items if not isinstance(item, AudioBlock)] == [Gap, Gap, End]
    assert gaps(items)[0].samples == RATE_HZ


def test_even_contiguous_files_have_a_gap_where_one_is_broken(tmp_path: Path) -> None:
    recording(tmp_path, "a.wav", 1.0)
    (tmp_path / "b.wav").write_bytes(b"")
    recording(tmp_path, "c.wav", 1.0)
    items = list(open_source(f"{tmp_path}?contiguous=true").items())
    assert [gap.reason for gap in gaps(items)] == ["unreadable_file"]


def test_a_truncated_file_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    cut = recording(tmp_path, "20190522_000000.wav", 4.0)
    cut.write_bytes(cut.read_bytes()[: 44 + 2 * RATE_HZ * 2])
    recording(tmp_path, "20190522_000004.wav", 1.0)
    items = list(open_source(str(tmp_path)).items())
    assert sound_s(items) == pytest.approx(3.0, abs=0.01)
    assert [(gap.reason, gap.samples) for gap in gaps(items)] == [("unreadable_file", 2 * RATE_HZ)]


def test_a_directory_without_one_readable_recording_fails(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(SourceError, match="none of"):
        list(open_source(str(tmp_path)).items())


def test_a_directory_without_recordings_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(UsageError, match="no recording"):
        open_source(str(tmp_path))


class FakePace:
    """Time passes only when somebody waits for it."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return datetime(2026, 5, 1, tzinfo=timezone.utc) + timedelta(seconds=self.passed_s)

    def monotonic_s(self) -> float:
        return self.passed_s

    def wait_until(self, monotonic_s: float) -> bool:
        self.passed_s = max(self.passed_s, monotonic_s)
        return True

    def end(self) -> None:
        """Nobody waits for long here."""


def test_realtime_does_not_wait_through_gaps_and_says_when_sound_resumed(tmp_path: Path) -> None:
    recording(tmp_path, "20190522_000000.wav", 1.0)
    recording(tmp_path, "20190522_010000.wav", 1.0)
    pace = FakePace()
    source = AudioDirectorySource(tmp_path, realtime=True, pace=pace)
    items = list(source.items())
    assert pace.passed_s == pytest.approx(2.0)
    assert source.started_at == datetime(2026, 5, 1, tzinfo=timezone.utc)
    resumed = datetime(2026, 5, 1, 0, 0, 1, tzinfo=timezone.utc)
    assert gaps(items) == [Gap(0, RATE_HZ, "not_contiguous", resumed)]


@given(st.integers(-10_000, 10_000))
def test_recordings_meet_within_50_ms_and_not_beyond(milliseconds: int) -> None:
    gap = gap_between(MIDNIGHT, MIDNIGHT + timedelta(milliseconds=milliseconds), RATE_HZ)
    assert (gap is None) == (abs(milliseconds) <= 50)
    if gap is not None:
        assert gap.samples == max(0, milliseconds * RATE_HZ // 1000)


def test_a_real_day_in_the_forest_is_twelve_recordings_an_hour_apart(shared_data: Path) -> None:
    source = open_source(str(shared_data / "audio" / "forest_day"))
    items = list(source.items())
    assert source.started_at == MIDNIGHT
    assert [round(gap.samples / gap.sample_rate_hz) for gap in gaps(items)] == [3_590] * 11
    assert sound_s(items) == pytest.approx(120.0, abs=0.1)
