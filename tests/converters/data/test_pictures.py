"""Pictures by class and pictures with boxes: read whole, named where they cannot be used."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from boxed_pictures import write_coco, write_noise, write_voc

from converters.data.labelled_set import refuse_shared_samples
from converters.data.nouns import PICTURES
from converters.data.picture_set import TrueBox
from converters.data.pictures import read_boxes, read_pictures, read_unlabelled
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


def test_annotations_and_pictures_may_be_in_linked_folders(tmp_path: Path) -> None:
    write_noise(tmp_path / "all/a.png")
    write_voc(tmp_path / "marks/a.xml", "a.png", [("cat", (1, 1, 5, 5), 0)])
    (tmp_path / "set").mkdir()
    for name in ("all", "marks"):
        (tmp_path / "set" / name).symlink_to(tmp_path / name)
    (picture,) = read_boxes(tmp_path / "set", LABELS).samples
    assert (picture.name, len(picture.boxes)) == ("all/a.png", 1)


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


def test_a_box_outside_its_picture_is_refused(tmp_path: Path) -> None:
    write_noise(tmp_path / "a.png")
    write_voc(tmp_path / "a.xml", "a.png", [("cat", (1, 1, 90, 20), 0)])
    assert "lies outside" in box_refusal(tmp_path).message


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
