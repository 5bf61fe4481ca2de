"""``edge-sdk evaluate`` tells what of a folder of pictures is not in the figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from boxed_pictures import write_coco
from msgspec import structs
from tiny_pictures import BLUE, RED, color_bundle, plain, thing_bundle, thing_picture, write_pictures

from edge_sdk.cli.main import main


@pytest.mark.parametrize("exclusive", [True, False])
def test_background_that_one_label_always_wins_is_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    exclusive: bool,  # noqa: FBT001
) -> None:
    made = color_bundle()
    output = structs.replace(made.manifest.classes, exclusive=exclusive)
    bundle = replace(made, manifest=structs.replace(made.manifest, outputs=[output]))
    pictures = {"red/a.png": plain(RED), "blue/b.png": plain(BLUE), "background/c.png": plain((90, 90, 90))}
    folder = write_pictures(tmp_path / "set", pictures)
    assert main(["evaluate", str(bundle.write(tmp_path / "colors.edge")), str(folder)]) == 0
    assert ("1 of 3 pictures is background" in capsys.readouterr().err) is exclusive


def test_boxes_without_area_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_pictures(tmp_path / "set", {"a.png": thing_picture((1, 2, RED))})
    boxes = [{"image": 0, "name": "red", "bbox": [16, 8, width, 8]} for width in (8, 0)]
    write_coco(folder / "boxes.json", [("a.png", 64, 64)], boxes, "red")
    assert main(["evaluate", str(thing_bundle().write(tmp_path / "things.edge")), str(folder)]) == 0
    told = capsys.readouterr()
    assert "1 box of the evaluation set has no area" in told.err
    assert "1 picture\n1 true box; 0 more are passed over\n" in told.out


def test_a_picture_that_is_given_twice_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = color_bundle().write(tmp_path / "colors.edge")
    pictures = {"red/a.png": plain(RED), "red/again.png": plain(RED), "blue/b.png": plain(BLUE)}
    folder = write_pictures(tmp_path / "set", pictures)
    assert main(["evaluate", str(bundle), str(folder)]) == 0
    told = "1 picture of the evaluation set is there already, so it counts again: as red/a.png"
    assert told in capsys.readouterr().err
    (folder / "red" / "again.png").unlink()
    assert main(["evaluate", str(bundle), str(folder)]) == 0
    assert "counts again" not in capsys.readouterr().err


def test_boxes_of_a_picture_that_is_given_twice_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = thing_picture((1, 2, RED))
    folder = write_pictures(tmp_path / "set", {"a.png": picture, "again.png": picture})
    boxes = [{"image": image, "name": "red", "bbox": [16, 8, 8, 8]} for image in (0, 1)]
    write_coco(folder / "boxes.json", [("a.png", 64, 64), ("again.png", 64, 64)], boxes, "red")
    assert main(["evaluate", str(thing_bundle().write(tmp_path / "things.edge")), str(folder)]) == 0
    assert "counts again: as a.png" in capsys.readouterr().err
