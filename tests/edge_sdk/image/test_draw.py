"""What was found is drawn where it is, and pictures are written whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_sdk.contract.values import Array, Detections, Pixels
from edge_sdk.errors import UsageError
from edge_sdk.image.draw import draw_classes, draw_detections, write_picture
from edge_sdk.image.picture_file import read_picture

GRAY: Pixels = np.full((240, 320, 3), 128, np.uint8)


def found(*boxes: tuple[list[float], float, int]) -> Detections:
    return Detections(
        np.array([box for box, _, _ in boxes], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in boxes], np.float32),
        np.array([label for _, _, label in boxes], np.int64),
    )


def changed(drawn: Pixels) -> Array:
    differs: Array = (drawn != GRAY).any(axis=2)
    return differs


def test_a_box_is_drawn_on_its_edges() -> None:
    drawn = changed(draw_detections(GRAY, found(([50, 60, 200, 180], 0.9, 0)), ["dog"], [0.5]))
    assert drawn[60, 50:200].all()
    assert drawn[179, 50:200].all()
    assert drawn[60:180, 50].all()
    assert drawn[60:180, 199].all()
    assert not drawn[100:170, 60:190].any()  # its inside can be seen
    assert not drawn[181:].any()
    assert not drawn[:, 201:].any()


def test_its_label_stands_above_it_or_inside_where_there_is_no_room() -> None:
    above = changed(draw_detections(GRAY, found(([50, 60, 200, 180], 0.9, 0)), ["dog"], [0.5]))
    inside = changed(draw_detections(GRAY, found(([50, 2, 200, 180], 0.9, 0)), ["dog"], [0.5]))
    assert above[50:59, 50:80].all()
    assert inside[4:12, 52:80].all()


@pytest.mark.parametrize("n", [2, 6])
def test_labels_of_boxes_on_top_of_each_other_can_all_be_read(n: int) -> None:
    """Each label's own colour: as much of it is seen as where the box is alone."""
    boxes = [([50.0 + index, 60.0 + index, 200.0, 180.0], 0.9 - index / 100, index) for index in range(n)]
    names, thresholds = [f"dog {index}" for index in range(n)], [0.5] * n
    together = draw_detections(GRAY, found(*boxes), names, thresholds)
    for box in boxes:
        alone = draw_detections(GRAY, found(box), names, thresholds)
        color = alone[179, 100]
        label = (alone[40:60] == color).all(axis=2).sum()
        assert (together == color).all(axis=2).sum() >= label


def test_where_there_is_no_room_for_all_labels_each_is_drawn_all_the_same() -> None:
    small: Pixels = np.zeros((12, 60, 3), np.uint8)
    boxes = [([0.0, 0.0, 60.0, 12.0], 0.9, index) for index in range(3)]
    assert draw_detections(small, found(*boxes), ["dog"] * 3, [0.5] * 3).any()


def test_the_picture_itself_is_not_changed() -> None:
    draw_detections(GRAY, found(([0, 0, 320, 240], 0.9, 0)), ["dog"], [0.5])
    draw_classes(GRAY, [("dog", 0.9)])
    assert (GRAY == 128).all()


def test_what_does_not_reach_its_threshold_is_not_drawn() -> None:
    both = found(([10, 100, 60, 200], 0.6, 0), ([100, 100, 160, 200], 0.6, 1))
    drawn = changed(draw_detections(GRAY, both, ["dog", "cat"], [0.61, 0.59]))
    assert not drawn[:, :90].any()
    assert drawn[:, 100:160].any()


def test_labels_have_colours_of_their_own() -> None:
    both = found(([10, 100, 60, 200], 0.6, 0), ([100, 100, 160, 200], 0.6, 1))
    drawn = draw_detections(GRAY, both, ["dog", "cat"], [0.5, 0.5])
    assert drawn[199, 30].tolist() != drawn[199, 130].tolist()


@pytest.mark.parametrize(
    "name", ["dog", "Rüttelfalke", "猫", "a name much longer than the picture is wide" * 3]
)
@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (240, 320)])
def test_any_name_can_be_drawn_on_any_picture(name: str, shape: tuple[int, int]) -> None:
    pixels: Pixels = np.zeros((*shape, 3), np.uint8)
    height, width = shape
    detections = found(([0, 0, width, height], 0.9, 0), ([0, 0, 0, 0], 0.8, 0))
    assert draw_detections(pixels, detections, [name], [0.5]).shape == pixels.shape
    assert draw_classes(pixels, [(name, 0.9)]).shape == pixels.shape


def test_an_accent_is_left_out_rather_than_the_letter() -> None:
    assert np.array_equal(draw_classes(GRAY, [("Rüppell", 0.5)]), draw_classes(GRAY, [("Ruppell", 0.5)]))


def test_classes_are_written_line_by_line() -> None:
    one = changed(draw_classes(GRAY, [("dog", 0.9)]))
    two = changed(draw_classes(GRAY, [("dog", 0.9), ("cat", 0.1)]))
    assert one.any(axis=1).sum() * 2 == two.any(axis=1).sum()
    assert not draw_classes(GRAY, []).any(where=changed(draw_classes(GRAY, []))[..., np.newaxis])


def test_nothing_found_leaves_the_picture_as_it_is() -> None:
    assert np.array_equal(draw_detections(GRAY, found(), ["dog"], [0.5]), GRAY)


def test_a_written_picture_is_read_again(tmp_path: Path, marked: Pixels) -> None:
    write_picture(tmp_path / "a.png", marked)
    assert np.array_equal(read_picture(tmp_path / "a.png"), marked)
    write_picture(tmp_path / "a.jpg", marked)
    assert np.abs(read_picture(tmp_path / "a.jpg").astype(int) - marked).mean() < 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.png"]


def test_a_picture_is_not_written_half(tmp_path: Path, marked: Pixels) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write_picture(tmp_path / "missing" / "a.png", marked)
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "folder.png" / "kept").touch()
    with pytest.raises(UsageError, match="cannot write"):
        write_picture(tmp_path / "folder.png", marked)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


def test_a_name_that_is_no_pictures_is_refused(tmp_path: Path, marked: Pixels) -> None:
    with pytest.raises(UsageError, match="does not have the name of a picture"):
        write_picture(tmp_path / "a.txt", marked)
