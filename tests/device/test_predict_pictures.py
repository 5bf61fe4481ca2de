"""``edge-sdk predict`` tells what a bundle sees in pictures and videos, and draws it."""

from __future__ import annotations

import io
import json
import tempfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from msgspec import structs
from tiny_bundle import TinyBundle, tiny_bundle
from tiny_pictures import (
    BLUE,
    GREEN,
    RED,
    color_bundle,
    plain,
    thing_bundle,
    thing_picture,
    write_pictures,
)

from device.picture_report import FrameReport, PictureReport
from device.predict_document import PredictDocument
from edge_sdk.cli.main import main
from edge_sdk.contract.values import Pixels
from edge_sdk.errors import EdgeSdkError
from edge_sdk.image.picture_file import read_picture
from edge_sdk.image.video_file import read_video
from edge_sdk.image.video_writer import VideoWriter

cv2 = pytest.importorskip("cv2")
Predict: TypeAlias = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def colors(tmp_path: Path) -> Path:
    return color_bundle().write(tmp_path / "colors.edge")


@pytest.fixture
def things(tmp_path: Path) -> Path:
    return thing_bundle().write(tmp_path / "things.edge")


@pytest.fixture
def predict(capsys: pytest.CaptureFixture[str]) -> Predict:
    def run(*arguments: Path | str) -> tuple[int, dict[str, Any]]:
        code = main(["predict", *map(str, arguments), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def write_video(path: Path, frames: list[Pixels], rate_hz: float = 10.0) -> Path:
    with VideoWriter(path) as video:
        for pixels in frames:
            video.write(pixels, rate_hz)
    return path


def test_a_classifier_tells_the_best_labels_and_which_count(
    tmp_path: Path, colors: Path, predict: Predict
) -> None:
    folder = write_pictures(tmp_path / "set", {"a.png": plain(RED), "sub/b.png": plain(BLUE)})
    code, document = predict(colors, folder, "--top", "2")
    assert code == 0
    assert document["task"] == "classify"
    first, second = document["files"]
    assert first["file"].endswith("a.png")
    assert (first["width"], first["height"], first["frames_seen"]) == (40, 30, 1)
    assert next(iter(first["frames"][0]["scores"])) == "red"
    assert len(first["frames"][0]["scores"]) == 2
    assert first["seen"] == {"red": 1}
    assert second["seen"] == {"blue": 1}


def test_a_detector_tells_boxes_over_their_threshold(tmp_path: Path, things: Path, predict: Predict) -> None:
    write_pictures(tmp_path, {"a.png": thing_picture((1, 2, RED), (6, 6, (0, 100, 0)))})
    _, document = predict(things, tmp_path / "a.png")
    (box,) = document["files"][0]["frames"][0]["boxes"]
    assert (box["label"], box["threshold"]) == ("red", 0.5)
    assert box["box"] == pytest.approx([16, 8, 24, 16], abs=0.1)
    _, document = predict(things, tmp_path / "a.png", "--threshold", "0.3")
    assert document["files"][0]["seen"] == {"green": 1, "red": 1}


def test_what_was_found_is_drawn_beside_the_original(tmp_path: Path, things: Path, predict: Predict) -> None:
    original = thing_picture((4, 4, RED))
    folder = write_pictures(tmp_path / "set", {"deep/a.png": original})
    _, document = predict(things, folder, "--save", tmp_path / "drawn")
    saved = Path(document["files"][0]["saved"])
    assert saved == tmp_path / "drawn/deep/a.png"
    drawn = read_picture(saved)
    assert drawn.shape == original.shape
    assert (drawn != original).any()
    assert (read_picture(folder / "deep/a.png") == original).all()


def test_two_files_of_one_name_are_both_drawn(tmp_path: Path, colors: Path, predict: Predict) -> None:
    write_pictures(tmp_path, {"x/a.png": plain(RED), "y/a.png": plain(BLUE)})
    _, document = predict(colors, tmp_path / "x/a.png", tmp_path / "y/a.png", "--save", tmp_path / "drawn")
    names = [Path(file["saved"]).name for file in document["files"]]
    assert names == ["a.png", "a-2.png"]
    assert (tmp_path / "drawn/a-2.png").is_file()


def test_nothing_is_drawn_outside_of_the_folder(tmp_path: Path, colors: Path, predict: Predict) -> None:
    write_pictures(tmp_path, {"x/a.png": plain(RED), "y/b.png": plain(BLUE)})
    _, document = predict(colors, tmp_path / "x", tmp_path / "x/../y/b.png", "--save", tmp_path / "drawn")
    assert [file["saved"] for file in document["files"]] == [
        str(tmp_path / "drawn" / name) for name in ("a.png", "b.png")
    ]


def test_an_original_is_never_replaced(
    tmp_path: Path, colors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_pictures(tmp_path / "set", {"a.png": plain(RED)})
    assert main(["predict", str(colors), str(folder / "a.png"), "--save", str(folder)]) == 2
    assert "would replace an original" in capsys.readouterr().err
    assert (read_picture(folder / "a.png") == plain(RED)).all()


@pytest.mark.parametrize("inside", ["", "a", "a/b", "../set/a"])
def test_drawings_never_lie_among_what_is_looked_at(
    tmp_path: Path, colors: Path, inside: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_pictures(tmp_path / "set", {"a.png": plain(RED)})
    assert main(["predict", str(colors), str(folder), "--save", f"{folder}/{inside}"]) == 2
    assert "the next run would judge the drawings too" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["a.png"]


def test_what_is_there_already_is_not_replaced(
    tmp_path: Path, colors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_pictures(tmp_path / "set", {"one/a.png": plain(RED), "two/a.png": plain(BLUE)})
    assert main(["predict", str(colors), str(folder / "one/a.png"), "--save", str(folder / "two")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (read_picture(folder / "two/a.png") == plain(BLUE)).all()


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


def test_a_picture_that_is_none_is_an_error_of_that_file(
    tmp_path: Path, colors: Path, predict: Predict
) -> None:
    folder = write_pictures(tmp_path / "set", {"b.png": plain(GREEN)})
    (folder / "a.jpg").write_bytes(b"no picture")
    code, document = predict(colors, folder)
    assert code == 1
    bad, good = document["files"]
    assert bad["error"] is not None
    assert bad["frames"] == []
    assert good["seen"] == {"green": 1}


@pytest.mark.parametrize("arguments", [["--channel", "1"], ["--threshold", "1.5"], ["--every", "0"]])
def test_what_does_not_fit_is_wrong_use(tmp_path: Path, colors: Path, arguments: list[str]) -> None:
    write_pictures(tmp_path, {"a.png": plain(RED)})
    try:
        code = main(["predict", str(colors), str(tmp_path / "a.png"), *arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    assert code == 2


def test_an_argument_for_pictures_is_refused_by_a_bundle_that_listens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tiny_bundle(("onnx-float32",)).write(tmp_path / "tones.edge")
    assert main(["predict", str(bundle), str(tmp_path), "--save", str(tmp_path / "drawn")]) == 2
    assert "listens to sound; --save is not for it" in capsys.readouterr().err


def test_a_bundle_that_listens_is_given_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tiny_bundle(("onnx-float32",)).write(tmp_path / "tones.edge")
    write_pictures(tmp_path, {"a.png": plain(RED)})
    assert main(["predict", str(bundle), str(tmp_path / "a.png")]) == 2
    assert f"listens, and {tmp_path / 'a.png'} is a picture" in capsys.readouterr().err


def test_a_detector_tells_all_boxes_and_takes_no_number_of_labels(
    tmp_path: Path, things: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(tmp_path, {"a.png": thing_picture()})
    assert main(["predict", str(things), str(tmp_path / "a.png"), "--top", "1"]) == 2
    assert "tells of all boxes over a threshold; --top is not for it" in capsys.readouterr().err


def test_a_folder_without_pictures_is_wrong_use(
    tmp_path: Path, colors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["predict", str(colors), str(tmp_path / "empty")]) == 2
    assert "there is no picture or video" in capsys.readouterr().err


def test_people_read_lines(tmp_path: Path, things: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pictures(
        tmp_path, {"a.png": thing_picture((1, 2, RED), (5, 5, (0, 240, 0))), "b.png": thing_picture()}
    )
    assert main(["predict", str(things), str(tmp_path / "a.png"), str(tmp_path / "b.png")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "things 0.1.0, onnx-float32 on onnx; counts from 0.5",
        str(tmp_path / "a.png"),
        "  1.000  red    [  16    8   24   16]",
        "  0.941  green  [  40   40   48   48]",
        str(tmp_path / "b.png"),
        "  64x64; nothing counts",
    ]


def test_lines_fit_an_80_column_terminal(
    tmp_path: Path, things: Path, colors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = write_video(tmp_path / "clip.mp4", [thing_picture((1, 2, RED))] * 3)
    for bundle in (things, colors):
        assert main(["predict", str(bundle), str(video), "--threshold", "0.1"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert max(len(line) for line in lines if line != str(video)) <= 80
    assert lines[2].startswith("    0.000 s")


def _without_rules(made: TinyBundle, *, exclusive: bool) -> TinyBundle:
    output = structs.replace(made.manifest.classes, exclusive=exclusive)
    return replace(made, manifest=structs.replace(made.manifest, frame_rules={}, outputs=[output]))


@pytest.mark.parametrize(
    ("exclusive", "counts", "shown", "seen"),
    [(True, "highest", "highest", {"red": 1}), (False, "from_threshold", "0.5", {})],
)
def test_without_rules_what_counts_is_the_same_wherever_it_is_told(
    tmp_path: Path,
    predict: Predict,
    capsys: pytest.CaptureFixture[str],
    exclusive: bool,  # noqa: FBT001
    counts: str,
    shown: str,
    seen: dict[str, int],
) -> None:
    bundle = _without_rules(color_bundle(), exclusive=exclusive).write(tmp_path / "colors.edge")
    write_pictures(tmp_path, {"dim.png": plain((0, 0, 100))})  # red scores best, and below 0.5
    _, document = predict(bundle, tmp_path / "dim.png")
    assert document["counts"] == counts
    (file,) = document["files"]
    assert max(file["frames"][0]["scores"].values()) < 0.5
    assert file["seen"] == seen
    assert file["frames"][0]["over_threshold"] == list(seen)
    assert main(["inspect", str(bundle)]) == 0
    table = capsys.readouterr().out
    assert [line.split()[-1] for line in table.splitlines() if line.split()[1:2] == ["red"]] == [shown]
    assert main(["predict", str(bundle), str(tmp_path / "dim.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert ("* 0." in lines[2]) is bool(seen)


def test_frames_are_kept_outside_of_memory_and_come_out_as_one_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    noise = np.random.default_rng(0)
    out = io.StringIO()
    with PredictDocument("frames") as document:
        tracemalloc.start()
        for name in ("a.mp4", "b.mp4"):
            document.begin_file(name)
            for index in range(20_000):
                scores = {str(label): float(noise.random()) for label in range(5)}
                document.add(FrameReport(index=index, time_s=index / 25, scores=scores))
            document.end_file(_report(name, 20_000))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        document.write({"task": "classify"}, out)
    found = json.loads(out.getvalue())
    assert len(out.getvalue()) > 5_000_000
    assert most < 3_000_000
    assert [file["file"] for file in found["files"]] == ["a.mp4", "b.mp4"]
    assert [frame["index"] for frame in found["files"][1]["frames"]] == list(range(20_000))
    assert found["files"][1]["frames_seen"] == 20_000
    assert list(tmp_path.iterdir()) == []


def test_a_folder_for_temporary_files_that_takes_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    noise = np.random.default_rng(0)
    frames = (FrameReport(scores={"a": float(noise.random())}) for _ in range(100_000))
    with PredictDocument("frames") as document:
        with pytest.raises(EdgeSdkError, match="absent") as failed:
            any(map(document.add, frames))
        assert "TMPDIR" in str(failed.value.hint)


def _report(name: str, frames: int) -> PictureReport:
    return PictureReport(
        file=name, error=None, width=4, height=3, frames_seen=frames, seen={}, peaks={}, saved=None
    )


def test_a_label_without_a_rule_is_never_told_by_a_detector(tmp_path: Path, predict: Predict) -> None:
    made = thing_bundle()
    rules = {"green": made.manifest.frame_rules["green"]}
    bundle = replace(made, manifest=structs.replace(made.manifest, frame_rules=rules)).write(
        tmp_path / "green.edge"
    )
    write_pictures(tmp_path, {"a.png": thing_picture((1, 2, RED), (5, 5, GREEN))})
    _, document = predict(bundle, tmp_path / "a.png")
    assert document["files"][0]["seen"] == {"green": 1}
    assert np.isclose(document["files"][0]["peaks"]["green"], 1.0, atol=1e-3)


def test_a_label_that_counts_is_told_though_it_is_not_among_the_best(
    tmp_path: Path, colors: Path, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(tmp_path, {"a.png": plain(RED)})
    arguments = (colors, tmp_path / "a.png", "--top", "1", "--threshold", "0.001")
    _, document = predict(*arguments)
    (file,) = document["files"]
    assert list(file["frames"][0]["scores"]) == ["red", "green", "blue"]
    assert set(file["peaks"]) == set(file["seen"]) == {"red", "green", "blue"}
    main(["predict", *map(str, arguments)])
    assert "  * 0.002  green" in capsys.readouterr().out.splitlines()


def test_a_threshold_below_what_a_detector_gives_is_refused(
    tmp_path: Path, things: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its boxes would be missing, as if nothing were there."""
    write_pictures(tmp_path, {"a.png": thing_picture((1, 2, RED))})
    assert main(["predict", str(things), str(tmp_path / "a.png"), "--threshold", "0.01"]) == 2
    assert "leaves out what scores below 0.05" in capsys.readouterr().err
