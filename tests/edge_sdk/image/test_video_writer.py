"""A drawn video appears whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.values import Pixels
from edge_sdk.errors import ImageError, UsageError
from edge_sdk.image.video_file import read_video
from edge_sdk.image.video_writer import VideoWriter

pytest.importorskip("cv2")


def gray(level: int, height: int = 48, width: int = 64) -> Pixels:
    return np.full((height, width, 3), level, np.uint8)


def test_all_frames_arrive(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4") as video:
        for level in (10, 100, 200):
            video.write(gray(level), 5.0)
    levels = [float(frame.pixels.mean()) for frame in read_video(tmp_path / "a.mp4")]
    assert levels == pytest.approx([10, 100, 200], abs=4)


def test_nothing_is_left_of_a_video_that_was_broken_off(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), VideoWriter(tmp_path / "a.mp4") as video:
        video.write(gray(10), 5.0)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_a_fault_of_the_video_that_it_is_from(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4") as video:
        video.write(gray(10), 5.0)
        with pytest.raises(ImageError, match=r"frames of \(64, 48\), and cannot take one of \(32, 48\)"):
            video.write(gray(10, width=32), 5.0)


_FULL_DISK = """
import resource, signal, sys
import numpy as np
from pathlib import Path
from edge_sdk.image.video_writer import VideoWriter

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
noise = np.random.default_rng(0)
with VideoWriter(Path(sys.argv[1])) as video:
    for _ in range(20):
        video.write(noise.integers(0, 255, (240, 320, 3), dtype=np.uint8), 5.0)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits the size of a file")
def test_a_video_that_the_disk_has_no_room_for_is_an_error(tmp_path: Path) -> None:
    """OpenCV says nothing, and leaves a file that no player opens."""
    command = [sys.executable, "-B", "-c", _FULL_DISK, str(tmp_path / "a.mp4")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "UsageError: cannot write" in done.stderr
    assert "of 20 frames 0 arrived" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes")
def test_a_folder_whose_name_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """OpenCV would end the process."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    folder.mkdir()
    with pytest.raises(UsageError, match="not UTF-8"), VideoWriter(folder / "a.mp4") as video:
        video.write(gray(10), 5.0)
