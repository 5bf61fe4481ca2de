"""The models of the matrix: those of the examples, and those in the tests' data."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from examples.imagenet.networks import NETWORKS

from .labelled import Labelled, chainsaws, daisies, faces, forest_sounds, of_the_recipe, street_photos

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
        samples: Recordings or photos: of each two the first calibrates, the other is compared.
        labelled: What judges its decisions; None where it makes none.
    """

    models: tuple[Path, ...]
    spec: Path
    samples: tuple[Path, ...]
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
    """

    title: str
    source: str
    prepare: Callable[[Path, Path], Prepared]
    passed_over: Mapping[str, str] = field(default_factory=dict)
    unjudged: str = ""


def _photos(data: Path) -> tuple[Path, ...]:
    """Evenly mixed, so that both halves have all kinds."""
    objects = sorted((data / "images/coral").glob("*.*g")) + sorted((data / "images/darknet").glob("*.jpg"))
    return tuple(objects + sorted((data / "images/voc100/images").glob("*.jpg"))[:19])[::-1]


def _recordings(data: Path) -> tuple[Path, ...]:
    return tuple(sorted((data / "audio/esc10").rglob("*.ogg"))[::8])


def _forest_sounds(folder: Path, data: Path) -> Prepared:
    from examples.forest_sounds import base

    base.main([str(folder / "base.keras")])
    example = Path(base.__file__).parent
    return Prepared(
        (folder / "base.keras", example / "head.keras"),
        example / "forest_sounds.toml",
        _recordings(data),
        forest_sounds(folder, data),
    )


def _yamnet(folder: Path, data: Path) -> Prepared:
    for file in (_YAMNET, data / "models/yamnet/yamnet_class_map.csv"):
        shutil.copy(file, folder)
    (model,) = (data / "models/yamnet").glob("*.tflite")
    return Prepared((model,), folder / _YAMNET.name, _recordings(data), chainsaws(folder, data))


def _digits(folder: Path, data: Path) -> Prepared:
    from examples.digits import train

    train.main(["--data", str(data / "images/digits"), "--output", str(folder)])
    samples = tuple(sorted((folder / "calibration").rglob("*.png"))[::4])
    labelled = of_the_recipe(folder, "digits of MNIST that the recipe does not train on")
    spec = Path(train.__file__).with_name("digits.toml")
    return Prepared((folder / "digits.keras",), spec, samples, labelled)


def _flowers(recipe: str) -> Callable[[Path, Path], Prepared]:
    def prepare(folder: Path, data: Path) -> Prepared:
        from examples.flowers import train

        train.main([recipe, "--photos", str(data / "images"), "--output", str(folder)])
        names = ["flowers"] if recipe == "frozen" else ["base", "head"]
        samples = tuple(sorted((folder / "calibration").rglob("*.*")))
        models = tuple(folder / f"{name}.keras" for name in names)
        labelled = of_the_recipe(folder, "photos that the recipe does not train on")
        return Prepared(models, Path(train.__file__).with_name("flowers.toml"), samples, labelled)

    return prepare


def _efficientnet_lite0(folder: Path, data: Path) -> Prepared:
    from examples.imagenet.build import write

    model = write("efficientnet_lite0", folder)
    return Prepared((model,), model.with_suffix(".toml"), _photos(data), daisies("daisy")(folder, data))


def _random_network(name: str) -> Callable[[Path, Path], Prepared]:
    def prepare(folder: Path, data: Path) -> Prepared:
        from examples.imagenet.build import write

        model = write(name, folder)
        return Prepared((model,), model.with_suffix(".toml"), _photos(data)[:_FEW])

    return prepare


def _coral(folder: Path, data: Path) -> Prepared:
    from converters.spec.label_file import label_id_of

    names = (data / "models/coral/imagenet_labels.txt").read_text(encoding="utf-8").splitlines()
    rows = [f"{index},{label_id_of(name.split(',')[0])}_{index},x" for index, name in enumerate(names)]
    (folder / "labels.csv").write_text("\n".join(["index,id,name", *rows]), encoding="utf-8")
    shutil.copy(_CORAL, folder)
    model = data / "models/coral/tf2_mobilenet_v2_1.0_224_ptq.tflite"
    (daisy,) = (f"daisy_{index}" for index, name in enumerate(names) if name == "daisy")
    return Prepared((model,), folder / _CORAL.name, _photos(data), daisies(daisy)(folder, data))


def _faces(name: str) -> Callable[[Path, Path], Prepared]:
    def prepare(folder: Path, data: Path) -> Prepared:
        from edge_sdk.demo.wheels import cache_folder
        from examples.faces.models import write

        model = write(name, folder, cache_folder())
        return Prepared((model,), model.with_suffix(".toml"), _photos(data), faces(folder, data))

    return prepare


def _fastestdet(folder: Path, data: Path) -> Prepared:
    model = data / "models/fastestdet/FastestDet.onnx"
    return Prepared((model,), _FASTESTDET, _photos(data), street_photos(folder, data))


_FEW = 8
"""Photos for large networks."""
_SLOW = {
    "tflite-int16x8": "not measured: made on request only, and its kernels take minutes for a photo here"
}
_RANDOM = "a network of random weights makes no decisions that could be judged"

CASES = {
    "forest_sounds": Case("Forest sounds (EfficientNet-Lite0 on log-mel, fused)", "Keras", _forest_sounds),
    "yamnet": Case("YAMNet", "`.tflite`", _yamnet),
    "digits": Case("Digits, CNN from scratch", "Keras", _digits),
    "efficientnet_lite0": Case("EfficientNet-Lite0", "Keras", _efficientnet_lite0),
    **{
        name: Case(f"{name} (random weights, logits)", "Keras", _random_network(name), _SLOW, _RANDOM)
        for name in NETWORKS
    },
    "flowers_frozen": Case("Flowers, frozen base", "Keras", _flowers("frozen")),
    "flowers_features": Case("Flowers, fast transfer (fused)", "Keras", _flowers("features")),
    "coral": Case("MobileNetV2, uint8 (Coral)", "`.tflite`", _coral),
    "short_range": Case("BlazeFace, short range", "`.tflite`", _faces("short_range")),
    "full_range": Case("BlazeFace, full range", "`.tflite`", _faces("full_range")),
    "back": Case("BlazeFace, back", "`.tflite`", _faces("back")),
    "fastestdet": Case("FastestDet", "`.onnx`", _fastestdet),
}
"""By the name that the command line takes."""
