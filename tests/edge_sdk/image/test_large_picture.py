"""Large pictures are converted in strips: the same pixels, in little more memory than they take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edge_sdk.contract.values import Array
from edge_sdk.image.picture_file import read_picture

SIDE = 5000
PEAK_OF_READING = """
import sys
from pathlib import Path

from edge_sdk.image.picture_file import read_picture


def peak():
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


read_picture(sys.argv[1])
before = peak()
read_picture(sys.argv[2])
print(peak() - before)
"""


def colours(side: int) -> Array:
    rows, columns = np.mgrid[:side, :side].astype(np.uint16)
    return np.stack([rows // 20, columns // 20, (rows + columns) % 256], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK"])
def test_what_is_converted_in_strips_is_what_pillow_converts_at_once(mode: str, tmp_path: Path) -> None:
    picture = Image.fromarray(colours(2100))  # more than two strips
    picture = picture.quantize(200) if mode == "P" else picture.convert(mode)
    path = tmp_path / "large.tif"
    picture.save(path)
    assert np.array_equal(read_picture(path), np.asarray(picture.convert("RGB"))[..., ::-1])


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells a process's own peak")
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_reading_takes_less_than_nine_bytes_a_pixel(mode: str, tmp_path: Path) -> None:
    small, large = tmp_path / "small.jpg", tmp_path / "large.jpg"
    Image.fromarray(colours(100)).save(small)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(colours(SIDE)).convert(mode).save(large, exif=turned)
    command = [sys.executable, "-c", PEAK_OF_READING, str(small), str(large)]
    peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert 3 * SIDE**2 < peak < 9 * SIDE**2
