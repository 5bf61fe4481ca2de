"""The demo's pictures are laid out as its conversions read them; without OpenCV it says so and goes on."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import pytest

from converters import convert
from converters.data.pictures import read_boxes, read_pictures
from converters.spec.label_file import read_label_set
from edge_sdk.contract.manifest import Label
from edge_sdk.demo.children import ask
from edge_sdk.demo.example import find_example
from edge_sdk.demo.picture_part import NoPictures, PicturePart, picture_part
from edge_sdk.demo.picture_sets import FACE_AREA, KNOWN_PHOTOS, PictureSets, lay_out_pictures
from edge_sdk.demo.picture_verdict import SeenClip, judge_clip
from edge_sdk.demo.wheels import cache_folder
from edge_sdk.errors import EdgeSdkError, InputError
from edge_sdk.image.video_file import read_video
from examples.faces.models import write

LABEL_SETS = Path(__file__).parents[3] / "converters" / "spec" / "label_sets"
FRAMES = 120


class RecordingConverter:
    """Stands in for the process that converts: notes what it is told."""

    def __init__(self) -> None:
        self.told: list[list[str]] = []

    def convert(self, arguments: Sequence[str], log: Path) -> None:
        self.told.append(list(arguments))
        if len(self.told) == 2:
            raise EdgeSdkError(f"told all; {log} is not written")


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> PictureSets:
    try:
        return lay_out_pictures(cache_folder(), tmp_path_factory.mktemp("demo") / "pictures")
    except InputError as error:
        pytest.skip(f"the photos' wheels cannot be had: {error.message}")


@pytest.fixture(scope="module")
def imagenet() -> list[Label]:
    return read_label_set(LABEL_SETS / "imagenet.csv", "imagenet")


def test_every_answer_that_counts_is_a_label(imagenet: list[Label]) -> None:
    answers = {answer for known in KNOWN_PHOTOS for answer in known.answers}
    assert answers <= {label.id for label in imagenet}


def test_photos_that_judge_have_an_answer_that_counts(sets: PictureSets, imagenet: list[Label]) -> None:
    answers = {known.name: known.answers for known in KNOWN_PHOTOS}
    judging = read_pictures(sets.objects, imagenet).samples
    assert len(judging) == 2
    for picture in judging:
        assert picture.labels <= set(answers[picture.path.name])


def test_one_of_five_pictures_has_a_face(sets: PictureSets) -> None:
    pictures = read_boxes(sets.faces, [Label(id="face", name="Face")]).samples
    assert {picture.path.name: len(picture.boxes) for picture in pictures} == {
        "astronaut.png": 1,
        "chelsea.png": 0,
        "coffee.png": 0,
        "motorcycle_left.png": 0,
        "rocket.jpg": 0,
    }


def test_the_face_area_lies_in_the_clip(sets: PictureSets) -> None:
    shapes = [frame.pixels.shape for frame in read_video(sets.clip)]
    assert len(shapes) == FRAMES
    assert FACE_AREA[2] < shapes[0][1]
    assert FACE_AREA[3] < shapes[0][0]


def test_the_detector_finds_the_face_in_the_clip_and_nothing_else(tmp_path: Path, sets: PictureSets) -> None:
    model = write("short_range", tmp_path, cache_folder())
    bundle = convert(
        model,
        spec=model.with_suffix(".toml"),
        evaluation=sets.faces,
        output=tmp_path / "faces.edge",
        variants=["tflite"],
    ).path
    printed = ask("predict", [str(bundle), str(sets.clip), "--json"], tmp_path / "log")
    assert judge_clip(printed, FACE_AREA) == SeenClip(frames=FRAMES, with_face=FRAMES, elsewhere=0)


def test_what_is_converted_is_what_was_built_and_laid_out(tmp_path: Path, sets: PictureSets) -> None:
    part, converter = PicturePart(tmp_path, cache_folder()), RecordingConverter()
    classifier, detector = part.builds(find_example())
    part.lay_out()
    with pytest.raises(EdgeSdkError, match="told all"):
        part.work(converter)
    assert Path(classifier[-1], f"{classifier[1]}.keras") == Path(converter.told[0][0])
    assert Path(detector[-1], f"{detector[2]}.tflite") == Path(converter.told[1][0])
    for told in converter.told:
        assert Path(told[told.index("--evaluation") + 1]).is_dir()


def test_without_opencv_pictures_are_left_out_and_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    part, converter = picture_part(tmp_path, cache_folder()), RecordingConverter()
    assert isinstance(part, NoPictures)
    assert part.builds(find_example()) == []
    part.lay_out()
    report = part.work(converter)
    assert converter.told == []
    assert report.verdict is None
    (line,) = report.lines
    assert "left out" in line
    assert "pip install './edge-sdk[camera-opencv]'" in line
