"""Pictures of cameras with 10, 12 or 14 bits are as bright as they should be."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_sdk.contract.values import Array
from edge_sdk.errors import ImageError
from edge_sdk.image.picture_file import read_picture

BITS, PHOTOMETRIC, STRIP, SAMPLES, LARGEST = 258, 262, 273, 277, 281
RAMP = np.linspace(0, 4095, 64 * 4).astype(np.uint16).reshape(4, 64)


def tiff(path: Path, samples: bytes, *, bits: int = 16, **tags: int) -> Path:
    """A little-endian TIFF of 64 x 4 pixels; ``tags`` are largest, photometric and channels."""
    channels = tags.get("channels", 1)
    values = {256: 64, 257: 4, BITS: bits, 259: 1, PHOTOMETRIC: tags.get("photometric", 1), STRIP: 0}
    values |= {SAMPLES: channels, 278: 4, 279: len(samples)}
    if "largest" in tags:
        values[LARGEST] = tags["largest"]
    end = 8 + 2 + 12 * len(values) + 4
    depths = struct.pack("<3H", *[bits] * 3)  # of three channels, which do not fit the tag itself
    values[STRIP] = end + len(depths)
    entries = b""
    for tag, value in sorted(values.items()):
        if tag == BITS and channels == 3:
            entries += struct.pack("<HHII", tag, 3, 3, end)
        else:
            entries += struct.pack("<HHII", tag, 4, 1, value)
    header = b"II*\0" + struct.pack("<IH", 8, len(values))
    path.write_bytes(header + entries + bytes(4) + depths + samples)
    return path


def packed_12(values: Array) -> bytes:
    """Two samples in three bytes, the upper bits first."""
    first, second = values.reshape(-1, 2).T.astype(np.uint32)
    both = first << 12 | second
    return np.stack([both >> 16, both >> 8 & 255, both & 255], axis=1).astype(np.uint8).tobytes()


def test_of_12_bits_the_upper_8_remain(tmp_path: Path) -> None:
    pixels = read_picture(tiff(tmp_path / "packed.tif", packed_12(RAMP), bits=12))
    assert np.array_equal(pixels, np.repeat((RAMP >> 4)[..., None], 3, axis=2))


@pytest.mark.parametrize("depth", [10, 12, 14])
def test_of_fewer_bits_in_16_the_upper_8_remain_where_the_largest_value_tells(
    depth: int, tmp_path: Path
) -> None:
    samples = RAMP << 2 >> 14 - depth
    path = tiff(tmp_path / "deep.tif", samples.astype("<u2").tobytes(), largest=(1 << depth) - 1)
    assert np.array_equal(read_picture(path)[..., 0], RAMP >> 4)


def test_the_largest_value_in_one_picture_does_not_brighten_it(tmp_path: Path) -> None:
    path = tiff(tmp_path / "dim.tif", RAMP.astype("<u2").tobytes(), largest=4000)
    assert np.array_equal(read_picture(path)[..., 0], RAMP >> 8)


@pytest.mark.parametrize("name", ["pixels.png", "pixels.tif"])
def test_grey_of_16_bits_that_holds_8_is_refused_rather_than_read_black(name: str, tmp_path: Path) -> None:
    samples = (RAMP >> 4).astype(np.uint16)
    Image.fromarray(samples).save(tmp_path / name)
    with pytest.raises(ImageError, match=rf"{name} has 16 bits a pixel and no value above 255") as caught:
        read_picture(tmp_path / name)
    assert "8 bits" in str(caught.value.hint)
    Image.fromarray(samples * 256).save(tmp_path / name)
    assert np.array_equal(read_picture(tmp_path / name)[..., 0], RAMP >> 4)


def test_grey_of_16_bits_with_the_upper_byte_first_is_read_and_judged_alike(tmp_path: Path) -> None:
    path = tmp_path / "scan.tif"
    little = tiff(path, (RAMP << 4).astype(">u2").tobytes()).read_bytes()
    values = struct.unpack_from("<" + "HHII" * little[8], little, 10)
    path.write_bytes(
        b"MM\0*"
        + struct.pack(">IH", 8, little[8])
        + struct.pack(">" + "HHII" * little[8], *values)
        + little[10 + 12 * little[8] :]
    )
    assert np.array_equal(read_picture(path)[..., 0], RAMP >> 4)
    dark = path.read_bytes().replace((RAMP << 4).astype(">u2").tobytes(), (RAMP >> 4).astype(">u2").tobytes())
    path.write_bytes(dark)
    with pytest.raises(ImageError, match="no value above 255"):
        read_picture(path)


def test_black_is_black(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 64), np.uint16)).save(tmp_path / "black.png")
    assert read_picture(tmp_path / "black.png").max() == 0


def test_a_largest_value_that_is_too_small_makes_nothing_wrap_around(tmp_path: Path) -> None:
    path = tiff(tmp_path / "wrong.tif", RAMP.astype("<u2").tobytes(), largest=1023)
    assert np.array_equal(read_picture(path)[..., 0], np.minimum(RAMP >> 2, 255))


def test_where_0_is_white_deep_grey_is_turned_around(tmp_path: Path) -> None:
    path = tiff(tmp_path / "negative.tif", (RAMP << 4).astype("<u2").tobytes(), photometric=0)
    assert np.array_equal(read_picture(path)[..., 0], 255 - (RAMP >> 4))


def test_colours_that_use_12_of_16_bits_are_refused(tmp_path: Path) -> None:
    samples = np.repeat(RAMP[..., None], 3, axis=2).astype("<u2").tobytes()
    path = tiff(tmp_path / "colours.tif", samples, photometric=2, channels=3, largest=4095)
    with pytest.raises(ImageError, match=r"colours\.tif has colours of 12 bits in samples of 16"):
        read_picture(path)


def test_colours_that_use_all_16_bits_are_read(tmp_path: Path) -> None:
    samples = np.repeat((RAMP << 4)[..., None], 3, axis=2).astype("<u2").tobytes()
    path = tiff(tmp_path / "colours.tif", samples, photometric=2, channels=3)
    assert np.array_equal(read_picture(path)[..., 2], RAMP >> 4)
