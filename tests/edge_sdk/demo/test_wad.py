"""Reading sounds out of a WAD file: what it must read, and what it must refuse."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_sdk.demo.wad import lump_directory, read_sound
from edge_sdk.errors import AudioError


def build_wad(lumps: dict[str, bytes]) -> bytes:
    body, entries = b"", b""
    for name, content in lumps.items():
        entries += struct.pack("<II8s", 12 + len(body), len(content), name.encode())
        body += content
    return struct.pack("<4sII", b"IWAD", len(lumps), 12 + len(body)) + body + entries


def sound_lump(samples: bytes, rate_hz: int = 11025) -> bytes:
    padded = bytes([128] * 16) + samples + bytes([128] * 16)
    return struct.pack("<HHI", 3, rate_hz, len(padded)) + padded


@given(samples=st.binary(min_size=1, max_size=200), rate_hz=st.integers(8000, 48000))
def test_a_sound_comes_out_as_it_went_in(samples: bytes, rate_hz: int) -> None:
    wad = build_wad({"DSOTHER": b"x", "DSSAWUP": sound_lump(samples, rate_hz)})

    sound = read_sound(wad, lump_directory(wad), "DSSAWUP")

    assert sound.sample_rate_hz == rate_hz
    assert np.array_equal(
        np.round(sound.samples * 128 + 128).astype(np.uint8), np.frombuffer(samples, np.uint8)
    )


@given(cut=st.integers(0, 200))
def test_a_truncated_wad_is_refused_and_never_crashes(cut: int) -> None:
    wad = build_wad({"DSSAWUP": sound_lump(bytes(range(100)))})
    with pytest.raises(AudioError):
        lump_directory(wad[: min(cut, len(wad) - 1)])


@pytest.mark.parametrize(
    ("lump", "reason"),
    [
        (b"", "too short"),
        (struct.pack("<HHI", 3, 11025, 5000) + bytes(40), "no digital sound"),
        (struct.pack("<HHI", 0, 11025, 40) + bytes(40), "no digital sound"),
        (struct.pack("<HHI", 3, 0, 40) + bytes(40), "no digital sound"),
    ],
)
def test_a_lump_that_is_no_sound_is_refused(lump: bytes, reason: str) -> None:
    wad = build_wad({"DSSAWUP": lump})
    with pytest.raises(AudioError, match=reason):
        read_sound(wad, lump_directory(wad), "DSSAWUP")


def test_a_missing_lump_is_named() -> None:
    wad = build_wad({"DSSAWUP": sound_lump(b"abc")})
    with pytest.raises(AudioError, match="DSPISTOL"):
        read_sound(wad, lump_directory(wad), "DSPISTOL")


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(AudioError, match="no WAD"):
        lump_directory(b"RIFF" + bytes(100))
