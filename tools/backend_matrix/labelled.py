"""The labelled samples that ``edge-sdk convert`` judges the matrix's models on, and those that calibrate."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Labelled", "chainsaws", "daisies", "faces", "forest_sounds", "of_the_recipe", "street_photos"]

_EACH_CALIBRATING = 4


@dataclass(frozen=True, slots=True)
class Labelled:
    """What is given to a conversion beside the model.

    Attributes:
        calibration: Folder for integer variants.
        evaluation: Folder that judges.
        what: What is in the latter, for the page.
    """

    calibration: Path
    evaluation: Path
    what: str


def of_the_recipe(folder: Path, what: str) -> Labelled:
    """What a training recipe laid out beside its model, and did not train on."""
    return Labelled(folder / "calibration", folder / "evaluation", what)


def forest_sounds(folder: Path, data: Path) -> Labelled:
    """Whole recordings of the example's list, its test split to judge; not those of which it is unsure."""
    from examples.forest_sounds.dataset import TEST, Clip, read_splits

    def lay_out(clips: Iterable[Clip], target: Path) -> Path:
        return _listed(((data / "audio" / clip.path, clip.path, clip.labels) for clip in clips), target)

    clips = [clip for clip in read_splits() if clip.start_s == 0 and clip.end_s is None and not clip.unknown]
    clips = [clip for clip in clips if clip.path.startswith(("esc10/", "soundsmod/"))]
    others = [clip for clip in clips if clip.split != TEST]
    # Some of each label, of which gunshots have very few.
    labels = {clip.labels: [other for other in others if other.labels == clip.labels] for clip in others}
    chosen = [clip for alike in labels.values() for clip in alike[::_EACH_CALIBRATING]]
    return Labelled(
        lay_out(chosen, folder / "calibration"),
        lay_out((clip for clip in clips if clip.split == TEST), folder / "evaluation"),
        "recordings of ESC-10's fold 4 and of Sounds mod, of sources that the head was not trained on, "
        "of which one is a drop of 0.0123",
    )


def chainsaws(folder: Path, data: Path) -> Labelled:
    """ESC-10's fold 4 to judge, the chainsaw against all else; a part of the others to calibrate."""
    root = data / "audio/esc10"

    def lay_out(recordings: Iterable[Path], target: Path) -> Path:
        return _listed(
            (
                (path, path.relative_to(root).as_posix(), {"chainsaw"} & {path.parent.name[4:].lower()})
                for path in recordings
            ),
            target,
        )

    return Labelled(
        lay_out(sorted(root.glob("*/[123]-*.ogg"))[::_EACH_CALIBRATING], folder / "calibration"),
        lay_out(sorted(root.glob("*/4-*.ogg")), folder / "evaluation"),
        "recordings of ESC-10's fold 4: chainsaws against all else, as the spec has one rule",
    )


def daisies(label_id: str) -> Callable[[Path, Path], Labelled]:
    """Photos for a network of ImageNet's classes, in which daisies are called so."""

    def lay_out_photos(folder: Path, data: Path) -> Labelled:
        from examples.imagenet.photos import PHOTOS_CSV
        from examples.photo_list import lay_out, read_list

        listed = [photo for photo in read_list(PHOTOS_CSV) if photo.folder != "agreement"]
        named = [photo._replace(folder=photo.folder.replace("daisy", label_id)) for photo in listed]
        lay_out(named, data / "images", folder)
        return of_the_recipe(folder, "photos of daisies, 32 pixels wide and blown up to 128")

    return lay_out_photos


def faces(folder: Path, data: Path) -> Labelled:
    """The photos of the example to judge; photos with people in them to calibrate."""
    from edge_sdk.demo.wheels import cache_folder
    from examples.faces.pictures import lay_out

    lay_out(data / "images", folder / "evaluation", cache_folder())
    what = "photos with one face or none, two faces in all, marked by hand"
    return Labelled(data / "images/voc100/images", folder / "evaluation", what)


def street_photos(folder: Path, data: Path) -> Labelled:
    """PASCAL VOC's photos, all of them to judge; others to calibrate."""
    target = folder / "calibration"
    target.mkdir(parents=True, exist_ok=True)
    for origin in ("coral", "darknet", "fastestdet"):
        for path in (data / "images" / origin).iterdir():
            if path.suffix in (".bmp", ".jpg"):
                shutil.copyfile(path, target / f"{origin}_{path.name}")
    return Labelled(target, data / "images/voc100", "photos of PASCAL VOC with their boxes")


def _listed(samples: Iterable[tuple[Path, str, Iterable[str]]], target: Path) -> Path:
    """Copy files under other names, and list the labels of each."""
    target.mkdir(parents=True, exist_ok=True)
    rows = []
    for path, name, labels in samples:
        file = name.replace("/", "_")
        shutil.copyfile(path, target / file)
        rows.append((file, ";".join(sorted(labels)) or "background"))
    with (target / "labels.csv").open("w", newline="", encoding="utf-8") as table:
        csv.writer(table).writerows([("file", "labels"), *rows])
    return target
