"""Reading recordings, whole and broken ones."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import AudioError, UsageError
from edge_sdk.signal.audio_file import AudioFile, read_mono
from edge_sdk.signal.resample import StreamResampler

RATE_HZ = 22_050
KINDS = ["pcm16.wav", "float.wav", "pcm24.rf64", "pcm16.flac", "vorbis.ogg"]


@pytest.fixture(scope="module")
def stereo() -> Float32Array:
    """Two seconds, another sound on each channel."""
    rng = np.random.default_rng(5)
    left = 0.4 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE_HZ) / RATE_HZ)
    right = 0.1 * rng.standard_normal(2 * RATE_HZ)
    return np.stack([left, np.clip(right, -1, 1)], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory, stereo: Float32Array) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("recordings")
    written = {}
    for kind in KINDS:
        subtype, container = kind.split(".")
        subtype = {"pcm16": "PCM_16", "pcm24": "PCM_24", "float": "FLOAT", "vorbis": "VORBIS"}[subtype]
        written[kind] = folder / kind
        soundfile.write(written[kind], stereo, RATE_HZ, subtype=subtype, format=container.upper())
    return written


def read_all(path: Path, block_frames: int = 4_096) -> Float32Array:
    with AudioFile.open(path) as recording:
        return np.concatenate(list(recording.blocks(block_frames)))


def read_until_error(path: Path) -> tuple[int, AudioError]:
    """Samples given before the error, and the error."""
    lengths: list[int] = []
    with AudioFile.open(path) as recording, pytest.raises(AudioError) as caught:
        lengths.extend(len(block) for block in recording.blocks(1_000))
    return sum(lengths), caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_header_and_samples_arrive(kind: str, recordings: dict[str, Path], stereo: Float32Array) -> None:
    tolerance = 0.3 if "ogg" in kind else 1e-4  # Vorbis does not keep noise
    with AudioFile.open(recordings[kind]) as recording:
        assert (recording.sample_rate_hz, recording.channels) == (RATE_HZ, 2)
        assert (recording.frames, recording.duration_s) == (len(stereo), 2.0)
        blocks = list(recording.blocks(1_000))
        right = np.concatenate(list(recording.blocks(1_000, channel=1)))
    assert {block.dtype for block in blocks} == {np.dtype(np.float32)}
    assert [len(block) for block in blocks] == [1_000] * 44 + [100]
    np.testing.assert_allclose(np.concatenate(blocks), stereo.mean(axis=1), atol=tolerance)
    np.testing.assert_allclose(right, stereo[:, 1], atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_block_sizes_change_no_bit(kind: str, recordings: dict[str, Path]) -> None:
    whole = read_all(recordings[kind], block_frames=10**6)

    @given(st.integers(50, 50_000))
    def any_size(block_frames: int) -> None:
        np.testing.assert_array_equal(read_all(recordings[kind], block_frames), whole)

    any_size()


@pytest.mark.parametrize("kind", KINDS)
def test_read_mono_gives_the_bits_of_the_stream(kind: str, recordings: dict[str, Path]) -> None:
    resampler = StreamResampler(RATE_HZ, 16_000)
    with AudioFile.open(recordings[kind]) as recording:
        parts = [resampler.process(block) for block in recording.blocks(321)]
    streamed = np.concatenate([*parts, resampler.flush()])
    np.testing.assert_array_equal(read_mono(recordings[kind], 16_000), streamed)


def test_real_clips_are_read_to_their_end(esc10_clips: list[Path]) -> None:
    for clip in esc10_clips:
        assert len(read_mono(clip, 44_100)) == soundfile.info(clip).frames


def test_one_sample_is_a_recording(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.full((1, 1), 0.5), 16_000)
    assert read_all(tmp_path / "one.wav").tolist() == [0.5]
    assert read_mono(tmp_path / "one.wav", 22_050).shape == (1,)


def test_twelve_hours_are_not_held_in_memory(tmp_path: Path) -> None:
    path, seconds, rate_hz = tmp_path / "night.wav", 12 * 3_600, 1_000
    samples = seconds * rate_hz
    header = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + samples, b"WAVE", b"fmt ", 16, 1, 1, rate_hz, rate_hz, 1, 8
    )
    path.write_bytes(header + struct.pack("<4sI", b"data", samples))
    os.truncate(path, 44 + samples)  # a sparse file: 43 MB that take no room

    tracemalloc.start()
    with AudioFile.open(path) as recording:
        heard = sum(len(block) for block in recording.blocks(8_192))
        assert recording.duration_s == seconds
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert heard == samples
    assert peak_bytes < 2_000_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.4, 0.75, 0.999])
def test_a_truncated_file_gives_its_sound_then_says_where_it_ends(
    kind: str, part: float, recordings: dict[str, Path], tmp_path: Path
) -> None:
    content = recordings[kind].read_bytes()
    cut = tmp_path / kind
    cut.write_bytes(content[: int(len(content) * part)])
    given_samples, error = read_until_error(cut)
    assert given_samples < 2 * RATE_HZ
    assert f"{kind} is truncated or damaged: its sound ends at {given_samples / RATE_HZ:.3f} s" in str(error)
    if part >= 0.75:
        assert given_samples > 0


def test_a_damaged_flac_gives_what_is_before_the_damage(recordings: dict[str, Path], tmp_path: Path) -> None:
    content = bytearray(recordings["pcm16.flac"].read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2_000] = bytes(2_000)
    damaged = tmp_path / "damaged.flac"
    damaged.write_bytes(content)
    given_samples, error = read_until_error(damaged)
    assert 0 < given_samples < 2 * RATE_HZ
    assert "damaged" in str(error)


def test_a_wav_written_to_a_pipe_has_no_length_and_is_not_truncated(
    recordings: dict[str, Path], tmp_path: Path
) -> None:
    content = bytearray(recordings["pcm16.wav"].read_bytes())
    data = content.index(b"data")
    content[4:8] = content[data + 4 : data + 8] = b"\xff\xff\xff\xff"
    piped = tmp_path / "piped.wav"
    piped.write_bytes(content)
    np.testing.assert_array_equal(read_all(piped), read_all(recordings["pcm16.wav"]))


def test_a_flac_that_does_not_state_its_length_is_read(recordings: dict[str, Path], tmp_path: Path) -> None:
    content = bytearray(recordings["pcm16.flac"].read_bytes())
    content[21] &= 0xF0  # STREAMINFO: the 36 bits that count samples
    content[22:26] = bytes(4)
    piped = tmp_path / "piped.flac"
    piped.write_bytes(content)
    with AudioFile.open(piped) as recording:
        assert recording.frames is None
        assert recording.duration_s is None
    np.testing.assert_array_equal(read_all(piped), read_all(recordings["pcm16.flac"]))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_no_number_is_named(bad: float, tmp_path: Path) -> None:
    samples = np.zeros((5_000, 2), np.float32)
    samples[3_210, 1] = bad
    soundfile.write(tmp_path / "bad.wav", samples, 16_000, subtype="FLOAT")
    given_samples, error = read_until_error(tmp_path / "bad.wav")
    assert given_samples == 3_210  # all that comes before it, though a block holds 1000
    assert "bad.wav: sample 3210 (0.201 s) is not a finite number" in str(error)
    with AudioFile.open(tmp_path / "bad.wav") as recording:
        assert not np.concatenate(list(recording.blocks(1_000, channel=0))).any()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"Log of the night: nothing heard.\n" * 200, "cannot be read as sound"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "cannot be read as sound"),
        (b"RIFF\x24\x00\x00\x00WAVE", "cannot be read as sound"),
        (b"OggS", "cannot be read as sound"),
        (b"fLaC", "cannot be read as sound"),
    ],
    ids=["empty", "text", "picture", "wav header", "ogg header", "flac header"],
)
def test_what_is_no_sound_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "night.wav"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=said) as caught:
        AudioFile.open(path)
    assert str(path) in str(caught.value)


def test_a_recording_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 16_000)
    with pytest.raises(AudioError, match="holds no sound"):
        AudioFile.open(tmp_path / "none.wav")


@pytest.mark.parametrize("tail", [b"", b"LIST\x04\x00\x00\x00INFO"], ids=["nothing", "a chunk"])
def test_an_empty_recording_is_not_said_to_hold_more(tmp_path: Path, tail: bytes) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 16_000)
    with (tmp_path / "none.wav").open("ab") as file:
        file.write(tail)
    with pytest.raises(AudioError, match="holds no sound"):
        AudioFile.open(tmp_path / "none.wav")


@pytest.mark.parametrize("silent", [False, True])
def test_a_header_that_was_never_completed_is_told_with_what_follows_it(
    recordings: dict[str, Path],
    tmp_path: Path,
    silent: bool,  # noqa: FBT001
) -> None:
    content = bytearray(recordings["pcm16.wav"].read_bytes())
    data = content.index(b"data")
    content[4:8] = content[data + 4 : data + 8] = bytes(4)
    if silent:
        content[data + 8 :] = bytes(len(content) - data - 8)
    (tmp_path / "night.wav").write_bytes(content)
    with pytest.raises(AudioError, match=f"says 0 samples, though {2 * RATE_HZ * 4} bytes follow") as caught:
        AudioFile.open(tmp_path / "night.wav")
    assert "ignore_length" in (caught.value.hint or "")


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS takes UTF-8 names only")
def test_a_name_that_is_no_utf_8_can_be_read(recordings: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9 \xff.wav")
    path.write_bytes(recordings["pcm16.wav"].read_bytes())
    np.testing.assert_array_equal(read_all(path), read_all(recordings["pcm16.wav"]))


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="File name too long"):
        AudioFile.open(tmp_path / ("a" * 300 + ".wav"))


def test_other_containers_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.aiff", np.zeros((100, 1)), 16_000)
    with pytest.raises(AudioError, match="is AIFF, and only WAV, FLAC and OGG are read"):
        AudioFile.open(tmp_path / "clip.aiff")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"missing\.wav cannot be opened: No such file"):
        AudioFile.open(tmp_path / "missing.wav")
    with pytest.raises(AudioError, match="is not a file"):
        AudioFile.open(tmp_path)


@pytest.mark.parametrize("channel", [2, -1])
def test_a_channel_out_of_range_is_refused_before_reading(channel: int, recordings: dict[str, Path]) -> None:
    with (
        AudioFile.open(recordings["pcm16.wav"]) as recording,
        pytest.raises(UsageError, match=f"no channel {channel}"),
    ):
        recording.blocks(1_000, channel)


def test_an_empty_block_is_refused(recordings: dict[str, Path]) -> None:
    with AudioFile.open(recordings["pcm16.wav"]) as recording, pytest.raises(UsageError, match="at least 1"):
        recording.blocks(0)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"RF64\0\0\0\0WAVEds64", b"OggS", b"fLaC"]),
)
def test_any_bytes_are_sound_or_an_audio_error(
    tmp_path_factory: pytest.TempPathFactory, tail: bytes, magic: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.wav"
    path.write_bytes(magic + tail)
    with contextlib.suppress(AudioError), AudioFile.open(path) as recording:
        for block in recording.blocks(100):
            assert np.isfinite(block).all()
