"""The models of the matrix: those of the examples, and those in the tests' data."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from examples.imagenet.networks import NETWORKS

from .labelled import Labelled, chainsaws, daisies, faces, forest_sounds, of_the_recipe, street_photos
from .samples import known_photos, other_photos, pictures_in, recordings_in, some_of, street_scenes

__all__ = ["CASES", "Case", "Prepared"]

_YAMNET = Path(__file__).with_name("yamnet.toml")
_CORAL = Path(__file__).with_name("coral.toml")
_FASTESTDET = Path(__file__).with_name("fastestdet.toml")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model that is ready to convert.

    Attributes:
        models: One file; or a feature extractor and its head.
        spec: How it is fed.
        calibration: Recordings or photos that measure its ranges.
        compared: Others, whose outputs are compared.
        labelled: What judges its decisions; None where it makes none.
    """

    models: tuple[Path, ...]
    spec: Path
    calibration: tuple[Path, ...]
    compared: tuple[Path, ...]
    labelled: Labelled | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the matrix.

    Attributes:
        title: What it is called there.
        source: The format that it comes in.
        prepare: From a folder of its own and the tests' data.
        passed_over: Variants that are not measured, and why.
        unjudged: Why the gate is not asked; empty where it is.
        alone: Whether it takes the memory of several others, so that none is measured beside it.
    """

    title: str
    source: str
    prepare: Callable[[Path, Path], Prepared]
    passed_over: Mapping[str, str] = field(default_factory=dict)
    unjudged: str = ""
    alone: bool = False


def _forest_sounds(folder: Path, data: Path) -> Prepared:
    from examples.forest_sounds import base

    base.main([str(folder / "base.keras")])
    example = Path(base.__file__).parent
    labelled = forest_sounds(folder, data)
    return Prepared(
        (folder / "base.keras", example / "head.keras"),
        example / "forest_sounds.toml",
        recordings_in(labelled.calibration),
        some_of(recordings_in(labelled.evaluation), _COMPARED),
        labelled,
    )


def _yamnet(folder: Path, data: Path) -> Prepared:
    for file in (_YAMNET, data / "models/yamnet/yamnet_class_map.csv"):
        shutil.copy(file, folder)
    (model,) = (data / "models/yamnet").glob("*.tflite")
    labelled = chainsaws(folder, data)
    return Prepared(
        (model,),
        folder / _YAMNET.name,
        recordings_in(labelled.calibration),
        some_of(recordings_in(labelled.evaluation), _COMPARED),
        labelled,
    )


def _digits(folder: Path, data: Path) -> Prepared:
    from examples.digits import train

    train.main(["--data", str(data / "images/digits"), "--output", str(folder)])
    labelled = of_the_recipe(folder, "digits of MNIST that the recipe does not train on")
    spec = Path(train.__file__).with_name("digits.toml")
    return _of_pictures((folder / "digits.keras",), spec, labelled)


def _of_pictures(models: tuple[Path, ...], spec: Path, labelled: Labelled) -> Prepared:
    """Calibrated and compared on what the recipe laid out for calibration and evaluation."""
    compared = some_of(pictures_in(labelled.evaluation), _COMPARED)
    return Prepared(models, spec, pictures_in(labelled.calibration), compared, labelled)


def _flowers(recipe: str) -> Callable[[Path, Path], Prepared]:
    def prepare(folder: Path, data: Path) -> Prepared:
        from examples.flowers import train

        train.main([recipe, "--photos", str(data / "images"), "--output", str(folder)])
        names = ["flowers"] if recipe == "frozen" else ["base", "head"]
        models = tuple(folder / f"{name}.keras" for name in names)
        what = "photos that the recipe does not train on, 20 of each flower, of which one is a drop of 0.05"
        labelled = of_the_recipe(folder, what)
        return _of_pictures(models, Path(train.__file__).with_name("flowers.toml"), labelled)

    return prepare


def _efficientnet_lite0(folder: Path, data: Path) -> Prepared:
    from examples.imagenet.build import write

    model = write("efficientnet_lite0", folder)
    return _on_known_photos(model, model.with_suffix(".toml"), data, daisies("daisy")(folder, data))


def _on_known_photos(model: Path, spec: Path, data: Path, labelled: Labelled) -> Prepared:
    """Calibrated as the gate does, and compared on photos of known content."""
    return Prepared((model,), spec, pictures_in(labelled.calibration), known_photos(data), labelled)


def _stand_in(name: str, calibrating: int, compared: int) -> Callable[[Path, Path], Prepared]:
    def prepare(folder: Path, data: Path) -> Prepared:
        from examples.imagenet.build import write

        model = write(name, folder)
        calibration = some_of(other_photos(data), calibrating)
        return Prepared(
            (model,), model.with_suffix(".toml"), calibration, some_of(known_photos(data), compared)
        )

    return prepare


def _coral(folder: Path, data: Path) -> Prepared:
    from converters.spec.label_file import label_id_of

    names = (data / "models/coral/imagenet_labels.txt").read_text(encoding="utf-8").splitlines()
    rows = [f"{index},{label_id_of(name.split(',')[0])}_{index},x" for index, name in enumerate(names)]
    (folder / "labels.csv").write_text("\n".join(["index,id,name", *rows]), encoding="utf-8")
    shutil.copy(_CORAL, folder)
    model = data / "models/coral/tf2_mobilenet_v2_1.0_224_ptq.tflite"
    (daisy,) = (f"daisy_{index}" for index, name in enumerate(names) if name == "daisy")
    return _on_known_photos(model, folder / _CORAL.name, data, daisies(daisy)(folder, data))


def _faces(name: str) -> Callable[[Path, Path], Prepared]:
    def prepare(folder: Path, data: Path) -> Prepared:
        from edge_sdk.demo.wheels import cache_folder
        from examples.faces.models import write

        model = write(name, folder, cache_folder())
        return _on_known_photos(model, model.with_suffix(".toml"), data, faces(folder, data))

    return prepare


def _fastestdet(folder: Path, data: Path) -> Prepared:
    model = data / "models/fastestdet/FastestDet.onnx"
    labelled = street_photos(folder, data)
    compared = some_of(street_scenes(data), _COMPARED)
    return Prepared((model,), _FASTESTDET, pictures_in(labelled.calibration), compared, labelled)


_COMPARED = 20
"""Samples, where there are many."""
_SLOW = {
    "tflite-int16x8": "not measured: made on request only, and its kernels take minutes for a photo here"
}
_UNTRAINED = "a network of random weights makes no decisions that could be judged"


_CALIBRATING = {"vgg16": 4, "efficientnet_v2_b0": 100}
"""Photos; squeeze and excitation has ranges that few photos do not show."""


def _stand_in_case(name: str) -> Case:
    title = f"{NETWORKS[name].builder}, random weights"
    huge = name == "vgg16"
    prepare = _stand_in(name, _CALIBRATING.get(name, 16), 4 if huge else 8)
    return Case(title, "Keras", prepare, _SLOW, _UNTRAINED, alone=huge)


CASES = {
    "forest_sounds": Case("Forest sounds, EfficientNet-Lite0 on log-mel, fused", "Keras", _forest_sounds),
    "yamnet": Case("YAMNet", "`.tflite`", _yamnet),
    "digits": Case("Digits, CNN from scratch", "Keras", _digits),
    "efficientnet_lite0": Case("EfficientNet-Lite0", "Keras", _efficientnet_lite0),
    **{name: _stand_in_case(name) for name in NETWORKS},
    "flowers_frozen": Case("Flowers, frozen base", "Keras", _flowers("frozen")),
    "flowers_features": Case("Flowers, fast transfer, fused", "Keras", _flowers("features")),
    "coral": Case("MobileNetV2 of Coral, uint8", "`.tflite`", _coral),
    "short_range": Case("BlazeFace, short range", "`.tflite`", _faces("short_range")),
    "full_range": Case("BlazeFace, full range", "`.tflite`", _faces("full_range")),
    "back": Case("BlazeFace, back", "`.tflite`", _faces("back")),
    "fastestdet": Case("FastestDet", "`.onnx`", _fastestdet),
}
"""By the name that the command line takes."""
