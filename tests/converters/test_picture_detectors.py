"""Detectors from a trained model to a bundle: boxes held against true ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from boxed_pictures import write_coco, write_noise
from conversions import DEFAULT_VARIANTS, convert_in, report_of
from PIL import Image
from tiny_pictures import GREEN, RED, thing_model, thing_picture

from converters import evaluate
from converters.evaluation.pictures import BoxEvaluation
from converters.quiet import import_tensorflow, quiet_libraries
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import DatasetError, SpecError
from edge_sdk.inference.golden import run_golden
from edge_sdk.inference.open import open_backend

_SPEC = """
name = "things"
version = "1.0.0"
task = "detect"
[[labels]]
id = "red"
[[labels]]
id = "green"
[default_rule]
threshold = 0.5
[image]
width = 32
height = 32
{image}
[detector]
decoder = "candidate_boxes"
{detector}
"""
_ONE_TENSOR = """coding = { coding = "offset", center_offset = 0.5, size_activation = "none" }
[[detector.scales]]
box = { axes = ["batch", "values", "rows", "columns"] }
classes = { axes = ["batch", "values", "rows", "columns"], start = 4 }
grids = [{ rows = 8, columns = 8 }]
"""
_TWO_TENSORS = """coding = { coding = "offset", center_offset = 0.5, size_activation = "none" }
[[detector.scales]]
box = { tensor = "places", axes = ["batch", "rows", "columns", "values"] }
classes = { tensor = "kinds", axes = ["batch", "rows", "columns", "values"] }
grids = [{ rows = 8, columns = 8 }]
"""


def write_spec(path: Path, detector: str = _ONE_TENSOR, image: str = "") -> Path:
    image = image or 'layout = "nchw"\npreprocessing = "unit"'
    path.write_text(_SPEC.format(image=image, detector=detector))
    return path


def write_things(folder: Path, n: int, seed: int) -> Path:
    """Pictures of 64x64 with a few cells of 8x8 painted red or green, and where these are."""
    random = np.random.default_rng(seed)
    boxes = []
    (folder / "images").mkdir(parents=True)
    for number in range(n):
        places = random.choice(16, size=3, replace=False).tolist()
        cells = [
            (2 * (place // 4), 2 * (place % 4), RED if random.random() < 0.5 else GREEN) for place in places
        ]
        pixels = thing_picture(*cells)
        pixels[0, 0] = number  # no two are the same file
        Image.fromarray(pixels[..., ::-1]).save(folder / "images" / f"{number}.png")
        boxes += [
            {
                "image": number,
                "name": "red" if color == RED else "green",
                "bbox": [8 * column, 8 * row, 8, 8],
            }
            for row, column, color in cells
        ]
    write_coco(
        folder / "things.json", [(f"{number}.png", 64, 64) for number in range(n)], boxes, "red", "green"
    )
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("things")
    write_things(folder / "evaluation", 10, seed=1)
    write_things(folder / "calibration", 6, seed=2)
    (folder / "calibration/things.json").unlink()  # what is in them is not asked
    (folder / "things.onnx").write_bytes(thing_model())
    write_spec(folder / "spec.toml")
    write_spec(folder / "keras.toml", _TWO_TENSORS, 'preprocessing = "unit"')
    _keras_detector(folder / "things.keras")
    return folder


def _keras_detector(path: Path) -> None:
    """The same detector with two outputs and the channels last."""
    import_tensorflow()
    import keras

    layers = keras.layers
    with quiet_libraries():
        picture = keras.Input((32, 32, 3), name="picture")
        cells = layers.AveragePooling2D(4)(picture)
        kinds = layers.Conv2D(2, 1, use_bias=False, name="kinds")
        places = layers.Conv2D(4, 1, name="places")
        model = keras.Model(picture, {"places": places(cells), "kinds": kinds(cells)})
        kinds.set_weights([np.eye(3, 2, dtype=np.float32)[None, None]])
        sizes = np.array([0, 0, 1, 1], dtype=np.float32)
        places.set_weights([np.zeros((1, 1, 3, 4), dtype=np.float32), sizes])
        model.save(path)


@pytest.fixture(scope="module")
def bundle(place: Path) -> Bundle:
    return convert_in(place, "things.onnx", place / "things.edge")


def test_a_detector_is_judged_by_average_precision(bundle: Bundle) -> None:
    (variant,) = bundle.manifest.variants
    assert (bundle.manifest.task, variant.metric.name, variant.metric.n) == ("detect", "map50", 10)
    assert variant.metric.value > 0.95
    assert variant.agreement == 1.0
    source = report_of(bundle)["source"]
    assert [metric["name"] for metric in source["more_metrics"]] == ["map50_95"]
    assert [label["label"] for label in source["labels"]] == ["red", "green"]
    assert sum(label["recall"]["n"] for label in source["labels"]) == 30
    assert sum(report_of(bundle)["evaluation"]["boxes_by_label"].values()) == 30


def test_golden_boxes_pass_and_notice_exchanged_labels(bundle: Bundle) -> None:
    (variant,) = bundle.manifest.variants
    assert variant.golden.least_iou is not None
    with open_backend(bundle.read(variant.file), variant.format) as backend:
        assert run_golden(bundle, variant.name, backend).passed
        swapped = _Swapped(backend)
        assert not run_golden(bundle, variant.name, swapped).passed  # type: ignore[arg-type]


class _Swapped:
    """The detector with its classes exchanged."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.inputs, self.outputs = inner.inputs, inner.outputs

    def infer(self, tensors: Any) -> Any:
        return {name: value[:, [0, 1, 2, 3, 5, 4]] for name, value in self.inner.infer(tensors).items()}


def test_the_page_tells_of_boxes(bundle: Bundle) -> None:
    page = bundle.read("report.html").decode()
    assert "AP50-95" in page
    assert "True boxes: red: " in page
    assert "recording" not in page


def test_a_keras_detector_with_two_outputs_gives_every_variant(place: Path, tmp_path: Path) -> None:
    bundle = convert_in(
        place,
        "things.keras",
        tmp_path / "things.edge",
        spec=place / "keras.toml",
        calibration=place / "calibration",
        max_drop=0.02,
    )
    outcomes = {item["name"]: item["outcome"] for item in report_of(bundle)["variants"]}
    kept_in_float = ("tflite-mixed", "onnx-int8")  # its layers all are the last ones
    assert {outcomes[name] for name in DEFAULT_VARIANTS if name not in kept_in_float} == {"passed"}
    assert outcomes["onnx-int8"] == "left_out"
    for variant in bundle.manifest.variants:
        assert variant.metric.value > 0.9
        with open_backend(bundle.read(variant.file), variant.format) as backend:
            assert {spec.name for spec in backend.outputs} == {"places", "kinds"}
            assert run_golden(bundle, variant.name, backend).passed


def test_evaluation_repeats_what_the_converter_proved(
    bundle: Bundle, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluate(bundle, place / "evaluation")
    assert isinstance(found, BoxEvaluation)
    metric = bundle.manifest.variants[0].metric
    assert (found.map50, found.map50_low, found.map50_high) == (metric.value, metric.low, metric.high)
    assert (found.pictures, found.boxes, found.boxes_passed_over) == (10, 30, 0)
    assert main(["evaluate", str(bundle.path), str(place / "evaluation")]) == 0
    assert "mAP50 " in capsys.readouterr().out


def test_outputs_that_do_not_fit_are_told_with_all_tensors(place: Path, tmp_path: Path) -> None:
    spec = write_spec(
        tmp_path / "x.toml", _ONE_TENSOR.replace("rows = 8, columns = 8", "rows = 4, columns = 4")
    )
    with pytest.raises(SpecError) as caught:
        convert_in(place, "things.onnx", tmp_path / "x.edge", spec=spec)
    assert "takes 'picture' float32 [1, 3, 32, 32]" in caught.value.message
    assert "gives 'found' float32 [1, 6, 8, 8]" in caught.value.message


def test_pictures_by_class_cannot_judge_a_detector(place: Path, tmp_path: Path) -> None:
    write_noise(tmp_path / "set/red/a.png")
    with pytest.raises(DatasetError, match="neither COCO JSON nor Pascal VOC XML"):
        convert_in(place, "things.onnx", tmp_path / "x.edge", evaluation=tmp_path / "set")


def test_swapped_channels_are_refused(place: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path / "x.toml", image='layout = "nchw"\npreprocessing = "unit"\ncolor = "bgr"')
    with pytest.raises(SpecError, match=r"with color = 'rgb', mAP50 is (1\.000|0\.9\d\d)"):
        convert_in(place, "things.onnx", tmp_path / "x.edge", spec=spec)


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ('coding = { coding = "direct" }', "where the classes start"),
        (
            'coding = { coding = "offset", size_activation = "none", center_offset = 9.0 }',
            "set under [detector] coding.center_offset = 0.5",
        ),
    ],
    ids=["another form", "another place"],
)
def test_a_detector_that_finds_nothing_as_it_is_described_is_refused(
    place: Path, tmp_path: Path, mistake: str, told: str
) -> None:
    lines = [mistake, *_ONE_TENSOR.splitlines()[1:]]
    write_spec(tmp_path / "blind.toml", "\n".join(lines))
    with pytest.raises(SpecError, match=r"finds none of the 30 boxes in 10 pictures") as caught:
        convert_in(place, "things.onnx", tmp_path / "x.edge", spec=tmp_path / "blind.toml")
    assert told in str(caught.value)
    assert not (tmp_path / "x.edge").exists()
