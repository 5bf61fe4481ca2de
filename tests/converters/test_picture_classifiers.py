"""Picture classifiers from a trained model to a bundle: every variant, its proof, and what is refused."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from boxed_pictures import write_noise
from conversions import DEFAULT_VARIANTS, convert_in, report_of
from coral_mobilenet import coral_conversion
from picture_specs import color_spec, write_colors
from tiny_pictures import color_model

from converters import convert, evaluate
from converters.evaluation.pictures import PictureEvaluation
from converters.quiet import import_tensorflow, quiet_libraries
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle
from edge_sdk.errors import DatasetError, ModelError, SpecError
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
    _keras_model(folder / "colors.keras")
    return folder


def _keras_model(path: Path, *, rescaling: bool = False, side: int = 8) -> Path:
    """Which channel is strongest, by a convolution and a dense layer with set weights; pixels of 0..1."""
    import_tensorflow()
    import keras

    layers = keras.layers
    with quiet_libraries():
        picture = keras.Input((side, side, 3), name="picture")
        scaled = layers.Rescaling(1 / 255)(picture) if rescaling else picture
        smooth = layers.Conv2D(3, 1, activation="relu", name="smooth")
        dense = layers.Dense(3, activation="sigmoid", name="colors")
        model = keras.Model(picture, dense(layers.GlobalAveragePooling2D()(smooth(scaled))))
        smooth.set_weights([np.eye(3, dtype=np.float32)[None, None], np.zeros(3, dtype=np.float32)])
        dense.set_weights([(24 * np.eye(3) - 8).astype(np.float32), np.full(3, -3, dtype=np.float32)])
        model.save(path)
    return path


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


def refusal(place: Path, folder: Path, spec: Path, model: str | Path = "colors.onnx") -> SpecError:
    variants = ["tflite-float32"] if str(model).endswith("keras") else None
    with pytest.raises(SpecError) as caught:
        convert_in(place, model, folder / "x.edge", spec=spec, variants=variants)
    assert not (folder / "x.edge").exists()
    return caught.value


def test_a_spec_that_does_not_fit_is_told_all_inputs_and_outputs(place: Path, tmp_path: Path) -> None:
    error = refusal(place, tmp_path, color_spec(tmp_path, side=9))
    assert "takes 'features' float32 [1, 8, 8, 3]" in error.message
    assert "gives 'scores' float32 [1, 3]" in error.message
    assert error.hint == "the model wants height = 8, width = 8"


def test_swapped_channels_are_refused_with_the_numbers(place: Path, tmp_path: Path) -> None:
    spec = color_spec(tmp_path, image='preprocessing = "unit"\ncolor = "bgr"')
    message = refusal(place, tmp_path, spec).message
    assert "contradicts the model" in message
    assert "with color = 'rgb', accuracy is 1.000 (p " in message


def test_a_contradiction_that_is_accepted_is_on_record(place: Path, tmp_path: Path) -> None:
    model = _keras_model(tmp_path / "rescaling.keras", rescaling=True)
    reasons = 'preprocessing = "trained so, see train.py"\ncolor = "as the camera gives it"'
    image = f'preprocessing = "unit"\n[image.accept]\n{reasons}'
    spec = color_spec(tmp_path, image=image)
    bundle = convert_in(place, model, tmp_path / "x.edge", spec=spec, variants=["tflite-float32"])
    graph, answers = bundle.manifest.provenance.accepted
    for accepted in (graph, answers):
        assert (accepted.key, accepted.reason) == ("preprocessing", "trained so, see train.py")
    assert "scaled twice" in graph.finding
    assert "with preprocessing = 'none', accuracy is 1.000" in answers.finding
    report = report_of(bundle)
    assert report["provenance"]["accepted"][0]["reason"] == "trained so, see train.py"
    assert any("accepted (preprocessing: trained so" in warning for warning in report["warnings"])
    assert "[image.accept] color is not needed: nothing contradicts it" in report["warnings"]
    assert "trained so, see train.py" in bundle.read("report.html").decode()


def test_pixels_that_nobody_scales_are_refused_where_it_shows(place: Path, tmp_path: Path) -> None:
    spec = color_spec(tmp_path, image="mean = 0\nstd = 25500")
    assert "with preprocessing = 'unit', accuracy is 1.000" in refusal(place, tmp_path, spec).message


def test_pixels_that_are_scaled_twice_are_refused(place: Path, tmp_path: Path) -> None:
    model = _keras_model(tmp_path / "rescaling.keras", rescaling=True)
    message = refusal(place, tmp_path, color_spec(tmp_path), model).message
    assert "scaled twice" in message
    assert "0..0.003922" in message


def _exclusive_model(path: Path, *, of_pixels: float = 1.0, resizing: bool = False) -> Path:
    """Which channel is strongest, by softmax; its convolution takes pixels of 0 to ``of_pixels``."""
    import_tensorflow()
    import keras

    layers = keras.layers
    with quiet_libraries():
        picture = keras.Input((8, 8, 3), name="picture")
        scaled = layers.Rescaling(1 / 255)(layers.Resizing(6, 6)(picture)) if resizing else picture
        smooth = layers.Conv2D(3, 3, name="smooth", use_bias=False)
        dense = layers.Dense(3, activation="softmax", name="colors", use_bias=False)
        model = keras.Model(picture, dense(layers.GlobalAveragePooling2D()(smooth(scaled))))
        smooth.set_weights([np.broadcast_to(np.eye(3, dtype=np.float32) / 9 / of_pixels, (3, 3, 3, 3))])
        dense.set_weights([(12 * np.eye(3)).astype(np.float32)])
        model.save(path)
    return path


def test_pixels_that_are_scaled_twice_behind_a_resize_are_refused(place: Path, tmp_path: Path) -> None:
    model = _exclusive_model(tmp_path / "resizing.keras", resizing=True)
    spec = color_spec(tmp_path, model="exclusive = true")
    assert "scaled twice" in refusal(place, tmp_path, spec, model).message


def test_scores_that_collapse_though_every_answer_is_right_are_refused(place: Path, tmp_path: Path) -> None:
    """The scaling is in the weights, where no operation shows it."""
    model = _exclusive_model(tmp_path / "bytes.keras", of_pixels=255)
    spec = color_spec(tmp_path, model="exclusive = true")
    message = refusal(place, tmp_path, spec, model).message
    assert "with preprocessing = 'none', accuracy is 1.000 and 24 instead of 0 of 24 reach" in message
    assert "as the spec says, accuracy is 1.000" in message


def test_pixels_255_times_too_large_are_told_by_scores_of_nothing_but_0_and_1(
    place: Path, tmp_path: Path
) -> None:
    model = _exclusive_model(tmp_path / "unit.keras")
    for preset, n_warnings in (("none", 1), ("unit", 0)):
        spec = color_spec(tmp_path, model="exclusive = true", image=f'preprocessing = "{preset}"')
        given = {"spec": spec, "variants": ["tflite-float32"]}
        report = report_of(convert_in(place, model, tmp_path / f"{preset}.edge", **given))
        told = [text for text in report["warnings"] if text.startswith("[image] in the spec may be wrong")]
        assert len(told) == n_warnings
        assert all(
            "preprocessing = 'unit', accuracy is 1.000 and the scores of 0 instead" in text for text in told
        )


def test_a_model_that_scales_its_own_pixels_converts_with_none(place: Path, tmp_path: Path) -> None:
    bundle = convert_in(
        place,
        _keras_model(tmp_path / "rescaling.keras", rescaling=True),
        tmp_path / "x.edge",
        spec=color_spec(tmp_path, image='preprocessing = "none"'),
        variants=["tflite-float32", "onnx-float32"],
    )
    assert {variant.metric.value for variant in bundle.manifest.variants} == {1.0}


def test_another_way_to_resize_is_refused_where_it_is_clearly_better(place: Path, tmp_path: Path) -> None:
    """Trained on the middle of pictures, whose edges are of another colour."""
    from PIL import Image

    colors = {"red": (220, 30, 30), "green": (30, 220, 30), "blue": (30, 30, 220)}
    others = {"red": "green", "green": "blue", "blue": "red"}
    for color, level in colors.items():
        (tmp_path / "evaluation" / color).mkdir(parents=True)
        for number in range(8):
            pixels = np.empty((20, 60, 3), dtype=np.uint8)
            pixels[:] = colors[others[color]]
            pixels[:, 20:40] = level
            pixels[0, 0] = number
            Image.fromarray(pixels).save(tmp_path / "evaluation" / color / f"{number}.png")
    with pytest.raises(SpecError, match=r"resize = 'crop', accuracy is 1\.000"):
        convert_in(tmp_path, place / "colors.onnx", tmp_path / "x.edge", spec=color_spec(tmp_path))


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
