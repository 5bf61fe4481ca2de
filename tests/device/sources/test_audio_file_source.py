from __future__ import annotations

import itertools
import os
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import soundfile

from device.sources import open_source
from device.sources.audio_file import AudioFileSource
from edge_sdk.contract.values import AudioBlock, End, Float32Array, SourceItem
from edge_sdk.errors import AudioError, SourceError, UsageError

RATE_HZ = 8_000


def noise(seconds: float, channels: int = 1) -> Float32Array:
    shape = (round(seconds * RATE_HZ), channels)
    return np.random.default_rng(0).uniform(-0.5, 0.5, shape).astype(np.float32)


def written(path: Path, samples: Float32Array, rate_hz: int = RATE_HZ, subtype: str = "FLOAT") -> Path:
    soundfile.write(path, samples, rate_hz, subtype=subtype)
    return path


def sound_of(items: list[SourceItem]) -> Float32Array:
    return np.concatenate([item.samples for item in items if isinstance(item, AudioBlock)])


def test_a_file_is_delivered_whole_in_blocks_and_then_ends(tmp_path: Path) -> None:
    samples = noise(1.9)
    source = open_source(str(written(tmp_path / "dawn.wav", samples)))
    items = list(source.items())
    np.testing.assert_array_equal(sound_of(items), samples[:, 0])
    assert all(len(item.samples) <= RATE_HZ for item in items if isinstance(item, AudioBlock))
    assert items[-1] == End("source_ended")
    assert (source.name, source.live) == ("dawn.wav", False)


@pytest.mark.parametrize(
    ("name", "subtype"), [("a.flac", "PCM_16"), ("a.ogg", "VORBIS"), ("a.WAV", "PCM_24")]
)
def test_flac_ogg_and_wav_are_read(tmp_path: Path, name: str, subtype: str) -> None:
    source = open_source(f"file://{written(tmp_path / name, noise(1.0), subtype=subtype)}")
    assert len(sound_of(list(source.items()))) == RATE_HZ


def test_channels_are_mixed_or_one_is_chosen_counted_from_1(tmp_path: Path) -> None:
    samples = noise(0.5, channels=2)
    path = written(tmp_path / "stereo.wav", samples)
    mixed = sound_of(list(open_source(str(path)).items()))
    right = sound_of(list(open_source(f"{path}?channel=2").items()))
    np.testing.assert_allclose(mixed, samples.mean(axis=1), atol=1e-7)
    np.testing.assert_array_equal(right, samples[:, 1])
    with pytest.raises(AudioError, match="no channel 3"):
        open_source(f"{path}?channel=3")


def test_time_comes_from_the_name_else_from_the_files_date(tmp_path: Path) -> None:
    named = open_source(str(written(tmp_path / "20190522_000000.wav", noise(2.0))))
    assert named.started_at == datetime(2019, 5, 22, tzinfo=timezone.utc)
    assert named.clock_source == "file_name"
    dated = written(tmp_path / "dawn.wav", noise(2.0))
    ended = datetime(2024, 2, 29, 12, tzinfo=timezone.utc)
    os.utime(dated, (ended.timestamp(), ended.timestamp()))
    source = open_source(str(dated))
    assert source.started_at == ended - timedelta(seconds=2)
    assert source.clock_source == "file_mtime"


def test_a_date_that_no_recorder_saw_ends_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "99991231_235959.wav", noise(2.0))
    os.utime(path, (253_402_300_000, 253_402_300_000))
    source = open_source(str(path))
    assert source.started_at is not None
    assert source.started_at.year == 2199
    assert source.clock_source == "file_mtime"


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS takes UTF-8 names only")
@pytest.mark.parametrize("raw", [b"caf\xe9.wav", b"a\x1b[31m\nb.wav"])
def test_a_name_that_cannot_be_printed_is_heard_and_told_in_valid_text(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / os.fsdecode(raw)
    written(tmp_path / "x.wav", noise(1.0)).rename(path)
    source = open_source(str(path))
    assert len(sound_of(list(source.items()))) == RATE_HZ
    assert source.name.isprintable()
    assert source.name.encode("utf-8").endswith(b".wav")


def test_a_truncated_file_is_heard_as_far_as_it_goes_and_then_fails(tmp_path: Path) -> None:
    path = written(tmp_path / "cut.wav", noise(4.0), subtype="PCM_16")
    path.write_bytes(path.read_bytes()[: 2 * RATE_HZ * 2])
    heard: list[SourceItem] = []
    with pytest.raises(SourceError, match="truncated"):
        heard.extend(open_source(str(path)).items())
    assert len(sound_of(heard)) == pytest.approx(2 * RATE_HZ, abs=64)
    assert End() not in heard


def test_a_number_that_is_none_stops_the_source(tmp_path: Path) -> None:
    samples = noise(1.0)
    samples[5_000] = np.nan
    with pytest.raises(SourceError, match="sample 5000"):
        list(open_source(str(written(tmp_path / "nan.wav", samples))).items())


@pytest.mark.parametrize("content", [b"", b"RIFF", b"#!/bin/sh\necho hello\n" * 100])
def test_what_is_no_sound_is_refused_before_work_starts(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"x\.wav"):
        open_source(str(path))


def test_what_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file or directory"):
        open_source(str(tmp_path / "none.wav"))
    with pytest.raises(UsageError, match="File name too long"):
        open_source(str(tmp_path / ("a" * 300 + ".wav?channel=1")))


class FakePace:
    """Time passes only when somebody waits for it."""

    def __init__(self) -> None:
        self.began = datetime(2026, 5, 1, tzinfo=timezone.utc)
        self.passed_s = 0.0
        self.ended = False

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.passed_s)

    def monotonic_s(self) -> float:
        return self.passed_s

    def wait_until(self, monotonic_s: float) -> bool:
        self.passed_s = max(self.passed_s, monotonic_s)
        return not self.ended

    def end(self) -> None:
        self.ended = True


def test_realtime_delivers_each_block_when_its_last_sample_was_heard(tmp_path: Path) -> None:
    pace = FakePace()
    source = AudioFileSource(written(tmp_path / "20190522_000000.wav", noise(1.1)), realtime=True, pace=pace)
    assert source.live
    times = [round(pace.passed_s, 6) for _ in source.items()]
    assert times == [0.25, 0.5, 0.75, 1.0, 1.1, 1.1]
    assert (source.started_at, source.clock_source) == (pace.began, "system")


def test_closing_ends_the_waiting(tmp_path: Path) -> None:
    source = open_source(f"{written(tmp_path / 'a.wav', noise(600.0))}?pace=realtime")
    heard: list[SourceItem] = []
    first = threading.Event()

    def listen() -> None:
        for item in source.items():
            heard.append(item)
            first.set()

    thread = threading.Thread(target=listen)
    thread.start()
    assert first.wait(60)
    source.close()
    thread.join(60)
    assert not thread.is_alive()
    assert End() not in heard


def test_twelve_hours_are_read_in_constant_memory(tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    hours, rate_hz = 12, 8_000
    path = written(tmp_path / "long.wav", np.zeros((rate_hz, 1), np.float32), rate_hz, "PCM_16")
    data_bytes = hours * 3600 * rate_hz * 2
    with path.open("rb+") as file:  # sparse: 691 MB that take no room on the disk
        header = bytearray(file.read(44))
        header[4:8] = (36 + data_bytes).to_bytes(4, "little")
        header[40:44] = data_bytes.to_bytes(4, "little")
        file.seek(0)
        file.write(header)
        file.truncate(44 + data_bytes)
    process = psutil.Process()
    items = open_source(str(path)).items()
    first = next(items)
    before = process.memory_info().rss
    heard = [len(item.samples) for item in itertools.chain([first], items) if isinstance(item, AudioBlock)]
    assert sum(heard) == hours * 3600 * rate_hz
    assert process.memory_info().rss - before < 16 * 2**20
