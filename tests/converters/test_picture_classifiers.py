"""Picture classifiers from a trained model to a bundle: every variant, its proof, and what is refused."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from boxed_pictures import write_noise
from color_models import keras_color_model
from conversions import DEFAULT_VARIANTS, convert_in, report_of
from coral_mobilenet import coral_conversion
from picture_specs import color_spec, write_colors
from tiny_pictures import color_model

from converters import convert, evaluate
from converters.evaluation.pictures import PictureEvaluation
from converters.quiet import quiet_libraries
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import DatasetError, ModelError
from edge_sdk.inference.golden import run_golden
from edge_sdk.inference.open import open_backend


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("colors")
    write_colors(folder / "calibration", 6, seed=1)
    write_colors(folder / "evaluation", 8, seed=2)
    color_spec(folder)
    (folder / "colors.onnx").write_bytes(color_model("onnx"))
    (folder / "colors.tflite").write_bytes(color_model("tflite"))
    keras_color_model(folder / "colors.keras")
    return folder


@pytest.fixture(scope="module")
def bundle(place: Path) -> Bundle:
    return convert_in(place, "colors.keras", place / "colors.edge", calibration=place / "calibration")


def test_a_keras_model_gives_every_variant_with_its_proof(bundle: Bundle) -> None:
    manifest = bundle.manifest
    assert (manifest.modality, manifest.task) == ("image", "classify")
    assert {variant.name for variant in manifest.variants} == set(DEFAULT_VARIANTS)
    assert set(manifest.frame_rules) == {"red", "green", "blue"}
    for variant in manifest.variants:
        assert (variant.metric.name, variant.metric.n) == ("exact_match", 32)
        assert variant.metric.value > 0.9
    assert manifest.variant("onnx-float32").max_abs_difference < 1e-5


@pytest.mark.parametrize("name", DEFAULT_VARIANTS)
def test_golden_pictures_pass_on_every_kernel_set(bundle: Bundle, name: str) -> None:
    variant = bundle.manifest.variant(name)
    for reference in (True, False):
        with open_backend(bundle.read(variant.file), variant.format, reference_kernels=reference) as backend:
            assert run_golden(bundle, name, backend).passed


def test_golden_pictures_are_few_and_of_another_shape_than_the_models(bundle: Bundle) -> None:
    pictures = np.load(io.BytesIO(bundle.read(bundle.manifest.golden.inputs)))
    expected = np.load(io.BytesIO(bundle.read(bundle.manifest.golden.expected)))
    assert pictures.dtype == np.uint8
    assert pictures.shape[1:] == (8, 10, 3)
    assert 4 <= len(pictures) <= 8
    assert (expected.max(axis=0) > 0.8).all()
    assert expected.max(axis=1).min() < 0.5


def test_the_report_speaks_of_pictures(bundle: Bundle) -> None:
    report = report_of(bundle)
    assert report["evaluation"]["pictures_by_label"] == {"red": 8, "green": 8, "blue": 8}
    assert report["evaluation"]["background_pictures"] == 8
    assert "few pictures" in report["warnings"][0]
    page = bundle.read("report.html").decode()
    assert "Judged on 32 pictures" in page
    assert "recording" not in page


def test_evaluation_repeats_what_the_converter_proved(bundle: Bundle, place: Path) -> None:
    found = evaluate(bundle, place / "evaluation", variant="tflite-int8")
    assert isinstance(found, PictureEvaluation)
    assert found.pictures == 32
    assert found.top5 is None
    proved = {item["name"]: item for item in report_of(bundle)["variants"]}["tflite-int8"]
    assert found.exact.value == proved["metric"]["value"]
    assert [label.auc for label in found.labels] == [label["auc"] for label in proved["labels"]]


def test_the_evaluate_command_speaks_of_pictures(
    bundle: Bundle, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(bundle.path), str(place / "evaluation")]) == 0
    text = capsys.readouterr().out
    assert "32 pictures" in text
    assert "recording" not in text


def test_a_ready_onnx_is_taken_as_it_is(place: Path, tmp_path: Path) -> None:
    bundle = convert_in(place, "colors.onnx", tmp_path / "x.edge", variants=["onnx"])
    (variant,) = bundle.manifest.variants
    assert (variant.name, bundle.read(variant.file)) == ("onnx", (place / "colors.onnx").read_bytes())


def test_a_ready_tflite_gives_onnx_too_where_both_agree(bundle: Bundle, place: Path, tmp_path: Path) -> None:
    (tmp_path / "made.tflite").write_bytes(bundle.read("models/tflite-float32.tflite"))
    asked = ["tflite", "onnx", "tflite-float16"]
    made = convert_in(place, tmp_path / "made.tflite", tmp_path / "x.edge", variants=asked)
    assert {variant.name for variant in made.manifest.variants} == {"tflite", "onnx"}
    assert made.manifest.variant("onnx").max_abs_difference < 1e-5
    reasons = {item["name"]: item["reason"] for item in report_of(made)["variants"]}
    assert "taken as it is" in reasons["tflite-float16"]


def test_onnx_that_answers_otherwise_than_the_tflite_is_left_out(place: Path, tmp_path: Path) -> None:
    """tf2onnx gets a dense layer on an unflattened input wrong."""
    made = convert_in(place, "colors.tflite", tmp_path / "x.edge")
    assert [variant.name for variant in made.manifest.variants] == ["tflite"]
    reasons = {item["name"]: item["reason"] for item in report_of(made)["variants"]}
    assert "answers are off by" in reasons["onnx"]


def test_damaged_pictures_are_named_before_the_work(place: Path, tmp_path: Path) -> None:
    evaluation = tmp_path / "evaluation"
    shutil.copytree(place / "evaluation", evaluation)
    whole = write_noise(tmp_path / "whole.jpg", 200, 200).read_bytes()
    (evaluation / "red/cut.jpg").write_bytes(whole[:3000])
    with pytest.raises(DatasetError, match=r"cut\.jpg is truncated"):
        convert_in(place, "colors.onnx", tmp_path / "x.edge", evaluation=evaluation)


def test_a_calibration_set_without_a_label_is_refused(place: Path, tmp_path: Path) -> None:
    write_colors(tmp_path / "calibration", 2, seed=7, colors=("red", "green", "background"))
    given = {"calibration": tmp_path / "calibration", "variants": ["tflite-int8"]}
    with pytest.raises(DatasetError, match="no picture of: blue"):
        convert_in(place, "colors.keras", tmp_path / "x.edge", **given)


def test_a_model_with_two_inputs_is_refused(place: Path, tmp_path: Path) -> None:
    import keras

    one, two = keras.Input((8, 8, 3), name="one"), keras.Input((8, 8, 3), name="two")
    joined = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([one, two]))
    with quiet_libraries():
        keras.Model([one, two], joined).save(tmp_path / "two.keras")
    with pytest.raises(ModelError, match="has 2 inputs"):
        convert_in(place, tmp_path / "two.keras", tmp_path / "x.edge")


def test_corals_mobilenet_as_it_is_knows_its_photos(shared_data: Path, tmp_path: Path) -> None:
    bundle = convert(**coral_conversion(tmp_path, shared_data), variants=["tflite"])
    assert bundle.manifest.variant("tflite").metric.value == 1.0
    (top,) = report_of(bundle)["source"]["more_metrics"]
    assert (top["name"], top["value"], top["n"]) == ("top5", 1.0, 3)
