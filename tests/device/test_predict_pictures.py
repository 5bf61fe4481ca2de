"""``edge-sdk predict`` tells what a bundle sees in pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

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
from verb_done import Predict

from edge_sdk.cli.main import main

pytest.importorskip("cv2", reason="pictures are prepared with OpenCV")


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


def test_a_picture_that_is_none_is_an_error_of_that_file(
    tmp_path: Path, colors: Path, predict: Predict
) -> None:
    folder = write_pictures(tmp_path / "set", {"b.png": plain(GREEN)})
    (folder / "a.jpg").write_bytes(b"no picture")
    code, document = predict(colors, folder)
    assert code == 1
    bad, good = document["files"]
    assert bad["error"] == f"{folder / 'a.jpg'} cannot be read as a picture"
    assert bad["hint"].startswith("JPEG, PNG,")
    assert good["hint"] is None
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


def test_a_summary_shows_no_mark_and_promises_none(
    tmp_path: Path, colors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pictures(tmp_path, {"a.png": plain(RED)})
    assert main(["predict", str(colors), str(tmp_path / "a.png")]) == 0
    assert capsys.readouterr().out.count("* ") == 2  # the first line tells what it means
    assert main(["predict", str(colors), str(tmp_path / "a.png"), "--summary"]) == 0
    assert "*" not in capsys.readouterr().out
