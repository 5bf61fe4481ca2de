"""COCO JSON: boxes by label and picture, and what in a file cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boxed_pictures import write_coco, write_noise
from PIL import Image

from converters.data.picture_set import TrueBox
from converters.data.pictures import read_boxes
from converters.proof.evidence import boxes_without_area
from edge_sdk.contract.manifest import Label
from edge_sdk.errors import DatasetError

LABELS = [Label(id="cat", name="Cat"), Label(id="tv", name="TV set"), Label(id="dining_table", name="Table")]


def box_refusal(folder: Path) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        read_boxes(folder, LABELS)
    return caught.value


def test_coco_boxes_are_mapped_to_labels_by_name(tmp_path: Path) -> None:
    write_noise(tmp_path / "images/a.png")
    boxes = [
        {"image": 0, "name": "Cat", "bbox": [1, 2, 10, 5]},
        {"image": 0, "name": "tvmonitor", "bbox": [0, 0, 30, 20], "iscrowd": 1},
        {"image": 0, "name": "table", "bbox": [3, 3, 0, 4]},
    ]
    write_coco(tmp_path / "instances.json", [("a.png", 30, 20)], boxes, "zebra", "Cat", "tvmonitor", "table")
    (picture,) = read_boxes(tmp_path, LABELS).samples
    assert picture.name == "images/a.png"
    assert picture.boxes == (TrueBox("cat", (1, 2, 11, 7)), TrueBox("tv", (0, 0, 30, 20), "crowd"))
    assert picture.labels == {"cat"}


def test_two_images_of_one_file_would_lose_the_boxes_of_one(tmp_path: Path) -> None:
    write_noise(tmp_path / "two/a.png")
    boxes = [{"image": number, "name": "cat", "bbox": [1 + number, 2, 10, 5]} for number in range(2)]
    for other in ("a.png", "two/a.png"):
        names = [(other, 30, 20), ("two/a.png", 30, 20)]
        write_coco(tmp_path / "boxes.json", names, boxes, "cat")
        assert f"'{other}' and 'two/a.png' are the same file" in box_refusal(tmp_path).message


def changed_coco(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> DatasetError:
    """The refusal of a sound file in which something was changed."""
    write_noise(tmp_path / "a.png")
    boxes = [{"image": 0, "name": "cat", "bbox": [1, 2, 10, 5]}]
    file = write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], boxes, "cat", "tv")
    assert len(read_boxes(tmp_path, LABELS).samples[0].boxes) == 1
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))
    return box_refusal(tmp_path)


def test_a_category_id_of_two_names_is_refused_rather_than_read_as_the_last(tmp_path: Path) -> None:
    def double(document: dict[str, Any]) -> None:
        document["categories"][1]["id"] = document["categories"][0]["id"]

    assert "category id 3 appears twice, for 'cat' and for 'tv'" in changed_coco(tmp_path, double).message


def test_a_category_that_merged_files_list_twice_is_one(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    boxes = [{"image": 0, "name": "cat", "bbox": [1, 2, 10, 5]}]
    file = write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], boxes, "cat", "tv")
    document = json.loads(file.read_text())
    document["categories"] *= 2
    file.write_text(json.dumps(document))
    assert read_boxes(tmp_path, LABELS).samples[0].labels == {"cat"}


def test_an_image_id_of_two_pictures_is_refused(tmp_path: Path) -> None:
    write_noise(tmp_path / "b.png", seed=1)

    def double(document: dict[str, Any]) -> None:
        document["images"].append({**document["images"][0], "file_name": "b.png"})

    assert "image id 0 appears twice" in changed_coco(tmp_path, double).message


def test_boxes_as_shares_of_the_picture_are_refused(tmp_path: Path) -> None:
    def share(document: dict[str, Any]) -> None:
        document["annotations"][0]["bbox"] = [0.1, 0.2, 0.9, 0.8]

    error = changed_coco(tmp_path, share)
    assert "they look like shares of the picture" in error.message
    assert "pixels" in str(error.hint)


def test_one_small_box_in_the_corner_is_no_share(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    boxes = [
        {"image": 0, "name": "cat", "bbox": [0, 0, 1, 1]},
        {"image": 0, "name": "tv", "bbox": [2, 2, 9, 9]},
    ]
    write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], boxes, "cat", "tv")
    assert len(read_boxes(tmp_path, LABELS).samples[0].boxes) == 2


def test_a_picture_of_that_name_in_another_folder_is_another_picture(tmp_path: Path) -> None:
    write_noise(tmp_path / "train/0.png")
    write_coco(tmp_path / "boxes.json", [("val/0.png", 30, 20)], [])
    assert "val/0.png (there is train/0.png)" in box_refusal(tmp_path).message
    write_noise(tmp_path / "pictures/val/0.png", seed=1)
    (picture,) = read_boxes(tmp_path, LABELS).samples
    assert picture.name == "pictures/val/0.png"


@pytest.mark.parametrize(
    "name", ["../images/a.png", "/home/anna/set/images/a.png", "C:\\set\\images\\a.png", "images\\a.png"]
)
def test_a_picture_is_found_by_a_name_from_elsewhere(name: str, tmp_path: Path) -> None:
    write_noise(tmp_path / "images/a.png")
    write_noise(tmp_path / "old/a.png", seed=1)
    write_coco(tmp_path / "boxes.json", [(name, 30, 20)], [])
    (picture,) = read_boxes(tmp_path, LABELS).samples
    assert picture.name == "images/a.png"


def test_of_an_absolute_name_the_most_folders_count_and_several_are_refused(tmp_path: Path) -> None:
    for seed, folder in enumerate(("one/images", "two/images")):
        write_noise(tmp_path / folder / "a.png", seed=seed)
    write_coco(tmp_path / "boxes.json", [("/home/two/images/a.png", 30, 20)], [])
    assert read_boxes(tmp_path, LABELS).samples[0].name == "two/images/a.png"
    write_coco(tmp_path / "boxes.json", [("/home/images/a.png", 30, 20)], [])
    assert "could be any of one/images/a.png, two/images/a.png" in box_refusal(tmp_path).message
    write_coco(tmp_path / "boxes.json", [("/val/a.png", 30, 20)], [])
    assert "/val/a.png (there is one/images/a.png)" in box_refusal(tmp_path).message
    write_noise(tmp_path / "a.png", seed=2)
    assert read_boxes(tmp_path, LABELS).samples[0].name == "a.png"


def test_boxes_without_area_are_counted(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    boxes = [{"image": 0, "name": "cat", "bbox": [3, 3, *size]} for size in ((0, 4), (5, 0), (5, 4))]
    write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], boxes, "cat")
    found = read_boxes(tmp_path, LABELS)
    assert (len(found.samples[0].boxes), found.boxes_without_area) == (1, 2)
    (warning,) = boxes_without_area(found)
    assert warning.startswith("2 boxes of the evaluation set have no area")


def test_pictures_of_which_no_annotation_tells_are_named(tmp_path: Path) -> None:
    for seed, name in enumerate("abc"):
        write_noise(tmp_path / f"{name}.png", seed=seed)
    write_coco(tmp_path / "boxes.json", [("b.png", 30, 20)], [])
    found = read_boxes(tmp_path, LABELS)
    assert [picture.name for picture in found.samples] == ["b.png"]
    assert found.unlisted == ("a.png", "c.png")


def test_a_category_that_is_no_label_is_refused_with_the_nearest(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    boxes = [{"image": 0, "name": "cats", "bbox": [1, 2, 10, 5]}]
    write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], boxes, "cats")
    error = box_refusal(tmp_path)
    assert "category 'cats'" in error.message
    assert error.hint == "did you mean 'cat'?"


def test_pictures_that_coco_names_and_that_are_not_there_are_all_named(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    write_coco(tmp_path / "boxes.json", [("a.png", 30, 20), ("b.png", 1, 1), ("c.png", 1, 1)], [])
    message = box_refusal(tmp_path).message
    assert "2 of 3 pictures" in message
    assert "b.png" in message
    assert "c.png" in message


def test_boxes_of_a_picture_that_lies_on_its_side_are_refused(tmp_path: Path) -> None:
    upright = Image.new("RGB", (30, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.save(tmp_path / "a.jpg", exif=exif)
    write_coco(tmp_path / "boxes.json", [("a.jpg", 30, 20)], [])
    assert "is 20x30 (upright), but boxes.json, image 0 is of 30x20" in box_refusal(tmp_path).message


def test_a_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text('{"images": [')
    assert "instances.json is damaged" in box_refusal(tmp_path).message


def test_coco_json_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    file = write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], [])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(read_boxes(tmp_path, LABELS).samples) == 1
