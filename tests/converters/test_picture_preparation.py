"""Pictures that are prepared otherwise than in training: refused with what shows it, or on record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from color_models import keras_color_model
from conversions import convert_in, report_of
from picture_specs import color_spec, write_colors
from tiny_pictures import color_model

from converters.quiet import import_tensorflow, quiet_libraries
from edge_sdk.errors import SpecError


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("colors")
    write_colors(folder / "evaluation", 8, seed=2)
    (folder / "colors.onnx").write_bytes(color_model("onnx"))
    return folder


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
    model = keras_color_model(tmp_path / "rescaling.keras", rescaling=True)
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
    model = keras_color_model(tmp_path / "rescaling.keras", rescaling=True)
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
        keras_color_model(tmp_path / "rescaling.keras", rescaling=True),
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
