"""Videos become frames, and one that ends early does not pass for a whole one."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.values import Array, Frame
from edge_sdk.errors import ImageError, UsageError
from edge_sdk.image.video_file import VideoFile, is_video, read_video

cv2 = pytest.importorskip("cv2")
FRAMES = 40


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[str, str], Path]:
    """Forty frames at 20 a second, each brighter than the one before."""

    def record(name: str, codec: str) -> Path:
        path = tmp_path / name
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 20.0, (64, 48))
        for index in range(FRAMES):
            writer.write(np.full((48, 64, 3), 5 * index, np.uint8))
        writer.release()
        return path

    return record


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    shorter = path.with_name(f"cut{path.suffix}")
    shorter.write_bytes(content[: int(len(content) * share)])
    return shorter


def without_pictures(content: bytes) -> bytes:
    """An AVI of the same length and header, the content of whose frames is zero."""
    spoilt = bytearray(content)
    at = spoilt.index(b"movi") + 4
    while spoilt[at : at + 4] == b"00dc":
        length = int.from_bytes(spoilt[at + 4 : at + 8], "little")
        spoilt[at + 8 : at + 8 + length] = bytes(length)
        at += 8 + length + length % 2
    return bytes(spoilt)


def test_a_real_video_is_read_to_its_end(shared_data: Path) -> None:
    with VideoFile.open(shared_data / "video/vtest.avi") as video:
        assert (video.width, video.height) == (768, 576)
        assert video.frame_rate_hz == 10
        assert video.frame_count == 795
        count = 0
        for frame in video.frames():
            assert frame.index == count
            count += 1
        assert count == 795
        assert frame.pixels.shape == (576, 768, 3)
        assert frame.pixels.dtype == np.uint8


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.mkv", "MJPG")])
def test_frames_come_in_order_and_belong_to_the_caller(
    name: str, codec: str, recorded: Callable[[str, str], Path]
) -> None:
    frames: list[Frame] = list(read_video(recorded(name, codec)))
    means: Array = np.array([frame.pixels.mean() for frame in frames])
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert np.abs(means - 5 * np.arange(FRAMES)).max() < 8


@pytest.mark.parametrize(("name", "share"), [("a.avi", 0.7), ("a.mkv", 0.3)])
def test_a_truncated_video_gives_its_frames_and_then_the_error(
    name: str, share: float, recorded: Callable[[str, str], Path]
) -> None:
    frames = read_video(cut(recorded(name, "MJPG"), share))
    seen: list[int] = []
    with pytest.raises(ImageError, match=rf"cut\.\w+ is truncated .* after \d+ of {FRAMES} frames"):
        seen += (frame.index for frame in frames)
    assert seen == list(range(len(seen)))
    assert 0 < len(seen) < FRAMES


def test_a_video_cut_off_before_its_index_cannot_be_read(recorded: Callable[[str, str], Path]) -> None:
    with pytest.raises(ImageError, match=r"cut\.mp4 cannot be read as a video"):
        read_video(cut(recorded("a.mp4", "mp4v"), 0.5))


class EndingEarly:
    """A capture whose file says five frames at 10 a second, and ends before."""

    def __init__(self, frames: int) -> None:
        self._left = frames

    def get(self, what: int) -> float:
        return {cv2.CAP_PROP_FPS: 10.0, cv2.CAP_PROP_FRAME_COUNT: 5.0}.get(what, 0.0)

    def read(self) -> tuple[bool, Array | None]:
        self._left -= 1
        return (True, np.zeros((4, 4, 3), np.uint8)) if self._left >= 0 else (False, None)


def test_two_frames_may_be_missing_where_the_container_lists_them_and_a_second_where_not() -> None:
    with pytest.raises(ImageError, match="after 2 of 5 frames"):
        list(VideoFile(Path("a.avi"), EndingEarly(2), frames_listed=True).frames())
    assert len(list(VideoFile(Path("a.avi"), EndingEarly(3), frames_listed=True).frames())) == 3
    assert len(list(VideoFile(Path("a.mkv"), EndingEarly(2), frames_listed=False).frames())) == 2


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.avi").write_text("the camera was stolen" * 50)
    with pytest.raises(ImageError, match=r"note\.avi cannot be read as a video"):
        read_video(tmp_path / "note.avi")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(ImageError, match="is empty"):
        read_video(tmp_path / "empty.mp4")


def test_a_missing_file_and_a_folder_are_wrong_use(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.avi", tmp_path):
        with pytest.raises(UsageError):
            read_video(path)


def test_a_picture_is_no_video(shared_data: Path) -> None:
    # OpenCV would open it, and go on to the next number.
    with pytest.raises(ImageError, match="name of a picture"):
        read_video(shared_data / "images/fastestdet/0.jpg")


def test_a_name_that_opencv_cannot_take_is_refused(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.avi"))
    path.write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(ImageError, match="not UTF-8"):
        read_video(path)


def test_a_damaged_video_prints_nothing_of_its_own(recorded: Callable[[str, str], Path]) -> None:
    shorter = cut(recorded("a.mp4", "mp4v"), 0.5)
    program = f"""
from edge_sdk.errors import ImageError
from edge_sdk.image.video_file import read_video
try:
    read_video({str(shorter)!r})
except ImageError:
    pass
"""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert run.stdout + run.stderr == ""


@pytest.mark.parametrize(("name", "expected"), [("a.MP4", True), ("b.avi", True), ("c.jpg", False)])
def test_a_video_is_known_by_its_name(name: str, expected: bool) -> None:  # noqa: FBT001
    assert is_video(name) is expected


def uneven(path: Path) -> Path:
    """The same MP4, but each frame from the eleventh on is shown half as long."""
    content = path.read_bytes()
    at = content.index(b"stts") - 4
    size, kind, flags, entries, n, ticks = struct.unpack(">I4sIIII", content[at : at + 24])
    assert (size, kind, flags, entries, n) == (24, b"stts", 0, 1, FRAMES)
    changed = bytearray(content)
    changed[at : at + 24] = struct.pack(">I4sIIIIII", 32, kind, 0, 2, 10, ticks, n - 10, ticks // 2)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):  # the boxes around it are longer, too
        start = content.index(box) - 4
        (length,) = struct.unpack(">I", content[start : start + 4])
        changed[start : start + 4] = struct.pack(">I", length + 8)
    other = path.with_name("uneven.mp4")
    other.write_bytes(changed)
    return other


def test_a_frame_has_the_time_in_the_file_and_not_one_computed(
    recorded: Callable[[str, str], Path],
) -> None:
    path = recorded("a.mp4", "mp4v")
    assert [frame.time_s for frame in read_video(path)] == pytest.approx([n / 20 for n in range(FRAMES)])
    times = [frame.time_s for frame in read_video(uneven(path))]
    assert times[:10] == pytest.approx([n / 20 for n in range(10)])
    assert times[10:] == pytest.approx([0.5 + n / 40 for n in range(FRAMES - 10)])


def test_frames_of_an_avi_which_has_no_times_are_counted(recorded: Callable[[str, str], Path]) -> None:
    times = [frame.time_s for frame in read_video(recorded("a.avi", "MJPG"))]
    assert times == pytest.approx([n / 20 for n in range(FRAMES)])


@pytest.mark.parametrize("frames", [0, 2])
def test_a_video_of_which_no_frame_can_be_read_is_an_error(frames: int, tmp_path: Path) -> None:
    path = tmp_path / "recorded.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20.0, (64, 48))
    for _ in range(frames):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    path.write_bytes(without_pictures(path.read_bytes()))
    with pytest.raises(ImageError, match=r"recorded\.avi has no frame that can be read") as caught:
        list(read_video(path))
    assert caught.value.hint is not None
