"""``edge-sdk predict --save`` draws what was found beside the originals, and never in their place."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_pictures import BLUE, RED, plain, thing_picture, write_pictures
from verb_done import Predict

from edge_sdk.cli.main import main
from edge_sdk.image.picture_file import read_picture

pytest.importorskip("cv2", reason="pictures are prepared with OpenCV")


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
