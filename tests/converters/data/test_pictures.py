"""Pictures by class and pictures with boxes: read whole, named where they cannot be used."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from boxed_pictures import write_coco, write_noise, write_voc
from PIL import Image

from converters.data.labelled_set import refuse_shared_samples
from converters.data.nouns import PICTURES
from converters.data.picture_set import TrueBox
from converters.data.pictures import read_boxes, read_pictures, read_unlabelled
from converters.proof.evidence import boxes_without_area
from converters.spec.label_file import read_label_set
from edge_sdk.contract.manifest import Label
from edge_sdk.errors import DatasetError, UsageError

LABELS = [Label(id="cat", name="Cat"), Label(id="tv", name="TV set"), Label(id="dining_table", name="Table")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed, name in enumerate(("cat/a.png", "cat/b.jpg", "tv/c.png", "background/d.png")):
        write_noise(tmp_path / "set" / name, seed=seed)
    return tmp_path / "set"


def box_refusal(folder: Path) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        read_boxes(folder, LABELS)
    return caught.value


def test_a_folders_name_is_its_pictures_label(folder: Path) -> None:
    (folder / "labels.csv").write_text("file,labels\ncat/b.jpg,cat;tv\n")
    found = read_pictures(folder, LABELS)
    assert [(picture.name, set(picture.labels)) for picture in found.samples] == [
        ("background/d.png", set()),
        ("cat/a.png", {"cat"}),
        ("cat/b.jpg", {"cat", "tv"}),
        ("tv/c.png", {"tv"}),
    ]
    assert (found.samples[0].height, found.samples[0].width) == (20, 30)
    assert found.truth.sum(axis=0).tolist() == [2, 2, 0]


def test_all_pictures_that_are_damaged_are_named_at_once(folder: Path) -> None:
    whole = (folder / "cat/b.jpg").read_bytes()
    (folder / "cat/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "tv/empty.png").touch()
    (folder / "tv/words.png").write_text("no picture")
    with pytest.raises(DatasetError) as caught:
        read_pictures(folder, LABELS)
    assert "3 of 7 pictures" in caught.value.message
    for name in ("cut.jpg", "empty.png", "words.png"):
        assert name in caught.value.message


def test_a_folder_that_is_no_label_is_refused_with_the_nearest(folder: Path) -> None:
    (folder / "cat").rename(folder / "cats")
    with pytest.raises(DatasetError, match="cats is named after no label") as caught:
        read_pictures(folder, LABELS)
    assert caught.value.hint == "did you mean 'cat'?"


def test_a_picture_in_both_sets_is_found_by_its_content(folder: Path, tmp_path: Path) -> None:
    calibration = tmp_path / "calibration"
    write_noise(calibration / "x.png", seed=9)
    evaluation = read_pictures(folder, LABELS)
    refuse_shared_samples(read_unlabelled(calibration, LABELS), evaluation, PICTURES)
    shutil.copy(folder / "tv/c.png", calibration / "renamed.png")
    with pytest.raises(DatasetError, match=r"tv/c.png \(calibration: renamed.png\)"):
        refuse_shared_samples(read_unlabelled(calibration, LABELS), evaluation, PICTURES)


def test_one_picture_with_two_labels_is_a_contradiction(folder: Path) -> None:
    shutil.copy(folder / "cat/a.png", folder / "tv/again.png")
    with pytest.raises(DatasetError, match="the same picture with different labels"):
        read_pictures(folder, LABELS)


def test_one_picture_with_other_boxes_is_a_contradiction(tmp_path: Path) -> None:
    for name, box in (("a", [1, 1, 10, 10]), ("b", [1, 1, 12, 10])):
        write_noise(tmp_path / f"{name}.png")
        write_voc(tmp_path / f"{name}.xml", f"{name}.png", [("cat", box, 0)])
    assert "the same picture with different labels" in box_refusal(tmp_path).message


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


def test_annotations_and_pictures_may_be_in_linked_folders(tmp_path: Path) -> None:
    write_noise(tmp_path / "all/a.png")
    write_voc(tmp_path / "marks/a.xml", "a.png", [("cat", (1, 1, 5, 5), 0)])
    (tmp_path / "set").mkdir()
    for name in ("all", "marks"):
        (tmp_path / "set" / name).symlink_to(tmp_path / name)
    (picture,) = read_boxes(tmp_path / "set", LABELS).samples
    assert (picture.name, len(picture.boxes)) == ("all/a.png", 1)


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


@pytest.mark.parametrize("place", ["", "annotations/"])
def test_voc_corners_count_from_one(tmp_path: Path, place: str) -> None:
    write_noise(tmp_path / ("images/a.png" if place else "a.png"))
    things = [("cat", (1, 1, 30, 20), 0), ("diningtable", (5, 6, 10, 12), 1)]
    size = "<size><width>30</width><height>20</height></size>"
    write_voc(tmp_path / f"{place}a.xml", "another.png", things, size)
    (picture,) = read_boxes(tmp_path, LABELS).samples
    assert picture.boxes == (
        TrueBox("cat", (0, 0, 30, 20)),
        TrueBox("dining_table", (4, 5, 10, 12), "difficult"),
    )
    assert picture.labels == {"cat"}


def test_all_bad_annotations_are_named_at_once(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    write_voc(tmp_path / "a.xml", "a.png", [("dog", (1, 1, 3, 3), 0)])
    write_voc(tmp_path / "absent.xml", "absent.png", [])
    write_voc(tmp_path / "numbers.xml", "a.png", [("cat", ("x", 1, 3, 3), 0)])
    write_voc(tmp_path / "turned.xml", "a.png", [("cat", (9, 1, 3, 3), 0)])
    (tmp_path / "cut.xml").write_text("<annotation><filename>")
    (tmp_path / "bomb.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]><annotation/>')
    message = box_refusal(tmp_path).message
    assert "6 of 6 annotations" in message
    for said in (
        "'dog' is no label",
        "no picture 'absent.png'",
        "no number",
        "is none",
        "no XML",
        "entities",
    ):
        assert said in message


def test_boxes_of_a_picture_that_lies_on_its_side_are_refused(tmp_path: Path) -> None:
    upright = Image.new("RGB", (30, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.save(tmp_path / "a.jpg", exif=exif)
    write_coco(tmp_path / "boxes.json", [("a.jpg", 30, 20)], [])
    assert "is 20x30 (upright), but boxes.json, image 0 is of 30x20" in box_refusal(tmp_path).message


def test_a_box_outside_its_picture_is_refused(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    write_voc(tmp_path / "a.xml", "a.png", [("cat", (1, 1, 90, 20), 0)])
    assert "lies outside" in box_refusal(tmp_path).message


def test_a_damaged_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "instances.json").write_text('{"images": [')
    assert "instances.json is damaged" in box_refusal(tmp_path).message


@pytest.mark.parametrize("form", ["coco", "voc"])
@pytest.mark.parametrize("content", [b'{"loss": NaN}', b'{"step": 1}\n{"step": 2}\n', b""])
def test_json_that_is_no_json_hides_no_boxes(content: bytes, form: str, tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    (tmp_path / "a-log.json").write_bytes(content)
    if form == "coco":
        write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], [])
    else:
        write_voc(tmp_path / "a.xml", "a.png", [])
    assert len(read_boxes(tmp_path, LABELS).samples) == 1


def test_coco_json_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    file = write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], [])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(read_boxes(tmp_path, LABELS).samples) == 1


def test_neither_form_or_both_are_refused(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    (tmp_path / "notes.json").write_text("{}")
    assert "neither COCO JSON nor Pascal VOC XML" in box_refusal(tmp_path).message
    write_voc(tmp_path / "a.xml", "a.png", [])
    write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], [])
    assert "a.xml" in box_refusal(tmp_path).message


def test_a_name_that_several_pictures_have_must_say_which(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_noise(tmp_path / folder / "a.png", seed=len(folder))
    write_coco(tmp_path / "boxes.json", [("a.png", 30, 20)], [])
    assert "could be any of one/a.png, two/a.png" in box_refusal(tmp_path).message
    write_coco(tmp_path / "boxes.json", [("two/a.png", 30, 20)], [])
    assert read_boxes(tmp_path, LABELS).samples[0].name == "two/a.png"


def test_pictures_without_annotations_calibrate_a_detector(folder: Path) -> None:
    assert len(read_unlabelled(folder, LABELS).samples) == 4
    with pytest.raises(UsageError, match="there is no folder"):
        read_unlabelled(folder / "absent", LABELS)
    (folder / "empty").mkdir()
    with pytest.raises(DatasetError, match="holds no pictures"):
        read_unlabelled(folder / "empty", LABELS)


def test_vocs_names_are_cocos(shared_data: Path) -> None:
    found = read_boxes(shared_data / "images/voc100", read_label_set(Path("x"), "coco"))
    assert len(found.samples) == 50
    assert {"tv", "couch", "airplane", "motorcycle", "potted_plant", "dining_table"} <= set(found.covered)
