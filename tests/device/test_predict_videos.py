"""``edge-sdk predict`` tells what a bundle sees in videos, frame by frame."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_pictures import RED, thing_picture
from verb_done import Predict

from edge_sdk.cli.main import main
from edge_sdk.contract.values import Pixels
from edge_sdk.image.video_file import read_video
from edge_sdk.image.video_writer import VideoWriter

cv2 = pytest.importorskip("cv2")


def write_video(path: Path, frames: list[Pixels], rate_hz: float = 10.0) -> Path:
    with VideoWriter(path) as video:
        for pixels in frames:
            video.write(pixels, rate_hz)
    return path


def test_a_video_is_looked_at_frame_by_frame_and_drawn(
    tmp_path: Path, things: Path, predict: Predict
) -> None:
    frames = [thing_picture((1, 2, RED)) if index >= 3 else thing_picture() for index in range(6)]
    video = write_video(tmp_path / "clip.mp4", frames)
    code, document = predict(things, video, "--save", tmp_path / "drawn")
    (file,) = document["files"]
    assert code == 0
    assert file["frames_seen"] == 6
    assert file["seen"] == {"red": 3}
    assert [frame["time_s"] for frame in file["frames"]] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert len(list(read_video(file["saved"]))) == 6


def test_a_video_without_frames_is_an_error_and_never_nothing_found(
    tmp_path: Path, things: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.avi"
    cv2.VideoWriter(str(empty), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, (64, 48)).release()
    code, document = predict(things, empty)
    (file,) = document["files"]
    assert code == 1
    assert file["frames_seen"] == 0
    assert "empty.avi has no frame that can be read" in file["error"]
    assert main(["predict", str(things), str(empty)]) == 1
    assert "has no frame that can be read" in capsys.readouterr().err


def test_one_frame_is_told_in_the_singular(
    tmp_path: Path, things: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_video(tmp_path / "clip.mp4", [thing_picture((1, 2, RED))])
    assert main(["predict", str(things), str(video), "--summary"]) == 0
    assert "  64x64, 1 frame" in capsys.readouterr().out.splitlines()


def test_of_a_video_each_nth_frame_can_be_taken(tmp_path: Path, things: Path, predict: Predict) -> None:
    video = write_video(tmp_path / "clip.mp4", [thing_picture()] * 7)
    _, document = predict(things, video, "--every", "3")
    assert [frame["index"] for frame in document["files"][0]["frames"]] == [0, 3, 6]


def test_lines_fit_an_80_column_terminal(
    tmp_path: Path, things: Path, colors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_video(tmp_path / "clip.mp4", [thing_picture((1, 2, RED))] * 3)
    for bundle in (things, colors):
        assert main(["predict", str(bundle), str(video), "--threshold", "0.1"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(len(line) for line in lines if line != str(video)) <= 80
    assert lines[2].startswith("    0.000 s")
