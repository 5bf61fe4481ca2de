"""A model that scales its own pixels is seen in its graph, in every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from scaling_models import SIDE, keras_source

from converters.quiet import import_tensorflow, quiet_libraries
from converters.sources.input_scaling import check_scaling, own_scaling
from converters.sources.open_source import open_source
from converters.sources.source_model import SourceModel
from converters.spec.image_table import PRESETS
from converters.variants.tflite_conversion import convert_float32
from edge_sdk.contract.image import ImageInput
from edge_sdk.errors import SpecError

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def spec_of(preset: str) -> ImageInput:
    known = PRESETS[preset]
    return ImageInput(width=SIDE, height=SIDE, color=known.color, mean=known.mean, std=known.std)


def scaled_onnx(path: Path, *steps: tuple[str, Sequence[object]]) -> SourceModel:
    """An ONNX model that does this to its input, channels last, before it takes the mean."""
    nodes, constants, name = [], [], "picture"
    for number, (kind, values) in enumerate(steps):
        constants.append(numpy_helper.from_array(np.array(values, dtype=np.float32), f"c{number}"))
        nodes.append(helper.make_node(kind, [name, f"c{number}"], [f"t{number}"]))
        name = f"t{number}"
    nodes.append(helper.make_node("ReduceMean", [name], ["scores"], axes=[1, 2], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "scaled",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, SIDE, SIDE, 3))],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, 3))],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    with open_source((path,), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
        return source


def test_the_steps_of_an_onnx_graph_are_put_together(tmp_path: Path) -> None:
    source = scaled_onnx(tmp_path / "a.onnx", ("Div", [255.0]), ("Sub", MEAN), ("Div", STD))
    own = own_scaling(source, 3)
    assert own is not None
    np.testing.assert_allclose(own.gain, 1 / 255 / np.array(STD), rtol=1e-5)
    np.testing.assert_allclose(own.offset, -np.array(MEAN) / np.array(STD), rtol=1e-5)
    assert own_scaling(scaled_onnx(tmp_path / "b.onnx"), 3) is None


@pytest.fixture(scope="module", params=["keras", "tflite"])
def normalizing(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceModel]:
    """Keras's Rescaling to -1..1 and a Normalization behind it, as a model and as TFLite."""
    import_tensorflow()
    import keras

    path = tmp_path_factory.mktemp("own") / "own.keras"
    layers = keras.layers
    with quiet_libraries():
        picture = keras.Input((SIDE, SIDE, 3), name="picture")
        scaled = layers.Rescaling(1 / 127.5, offset=-1)(picture)
        scaled = layers.Normalization(mean=[0.0, 0.1, 0.0], variance=[0.25, 0.25, 0.25])(scaled)
        hidden = layers.Conv2D(2, 1)(scaled)
        keras.Model(picture, layers.GlobalAveragePooling2D()(hidden)).save(path)
    with open_source((path,), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
        if request.param == "keras":
            yield source
            return
        assert source.traced is not None
        path.with_suffix(".tflite").write_bytes(convert_float32(source.traced))
    with open_source((path.with_suffix(".tflite"),), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
        yield source


def test_keras_layers_that_scale_are_seen_in_every_format(normalizing: SourceModel) -> None:
    own = own_scaling(normalizing, 3)
    assert own is not None
    np.testing.assert_allclose(own.gain, np.full(3, 2 / 127.5), rtol=1e-4)
    np.testing.assert_allclose(own.offset, [-2.0, -2.2, -2.0], rtol=1e-4)
    check_scaling(spec_of("none"), normalizing)
    for preset in ("tf", "unit", "torch", "caffe"):
        with pytest.raises(SpecError, match="scaled twice"):
            check_scaling(spec_of(preset), normalizing)


def test_a_torchvision_normalization_inside_wants_pixels_of_0_to_1(tmp_path: Path) -> None:
    source = scaled_onnx(tmp_path / "a.onnx", ("Sub", MEAN), ("Div", STD))
    check_scaling(spec_of("unit"), source)
    with pytest.raises(SpecError, match="scaled twice"):
        check_scaling(spec_of("torch"), source)
    with pytest.raises(SpecError, match="which no model is trained on"):
        check_scaling(spec_of("none"), source)


def test_caffes_mean_is_not_subtracted_twice(tmp_path: Path) -> None:
    source = scaled_onnx(tmp_path / "a.onnx", ("Sub", [103.939, 116.779, 123.68]))
    check_scaling(spec_of("none"), source)
    with pytest.raises(SpecError, match="scaled twice"):
        check_scaling(spec_of("caffe"), source)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_model_without_scaling_of_its_own_may_have_any(tmp_path: Path, preset: str) -> None:
    check_scaling(spec_of(preset), scaled_onnx(tmp_path / "a.onnx"))


def test_a_constant_for_each_place_is_a_layer_and_no_scaling(tmp_path: Path) -> None:
    source = scaled_onnx(tmp_path / "a.onnx", ("Add", [[0.5] * 3] * SIDE))
    assert own_scaling(source, 3) is None


def before_rescaling(kind: str) -> list[Any]:
    import_tensorflow()
    import keras

    layers, ops = keras.layers, keras.ops
    before: dict[str, list[Any]] = {
        "resizing": [layers.Resizing(3, 3)],
        "cropping to the aspect ratio": [layers.Resizing(3, 2, crop_to_aspect_ratio=True)],
        "padding": [layers.ZeroPadding2D(1)],
        "cropping": [layers.CenterCrop(3, 3)],
        "enlarging": [layers.UpSampling2D(2)],
        "clipping": [lambda pixels: ops.clip(pixels, 0, 255)],
        "turning channels": [lambda pixels: ops.flip(pixels, axis=-1)],
        "augmenting": [layers.RandomFlip(), layers.RandomContrast(0.1)],
    }
    return [*before[kind], layers.Rescaling(1 / 255)]


@pytest.mark.parametrize(
    "kind",
    [
        "resizing",
        "cropping to the aspect ratio",
        "padding",
        "cropping",
        "enlarging",
        "clipping",
        "turning channels",
        "augmenting",
    ],
)
def test_what_moves_or_cuts_pixels_hides_no_scaling(tmp_path: Path, kind: str) -> None:
    source = keras_source(tmp_path / "own.keras", *before_rescaling(kind))
    check_scaling(spec_of("none"), source)
    for preset in ("unit", "tf", "torch", "caffe"):
        with pytest.raises(SpecError, match="scaled twice"):
            check_scaling(spec_of(preset), source)


@pytest.mark.parametrize(
    ("network", "form", "gain", "offset"),
    [
        ("resnet50", "keras", [1, 1, 1], [-123.68, -116.779, -103.939]),
        ("resnet50", "tflite", [1, 1, 1], [-123.68, -116.779, -103.939]),
        ("densenet", "keras", 1 / 255 / np.array(STD), -np.array(MEAN) / np.array(STD)),
        ("densenet", "tflite", 1 / 255 / np.array(STD), -np.array(MEAN) / np.array(STD)),
        ("mobilenet_v2", "keras", [1 / 127.5] * 3, [-1, -1, -1]),
    ],
)
def test_keras_own_preprocessing_in_a_model_is_not_repeated(
    tmp_path: Path, network: str, form: str, gain: Any, offset: Any
) -> None:
    """Caffe's takes the channels apart and puts them together the other way round."""
    import_tensorflow()
    import keras

    source = keras_source(tmp_path / "own.keras", getattr(keras.applications, network).preprocess_input)
    if form == "tflite":
        assert source.traced is not None
        (tmp_path / "own.tflite").write_bytes(convert_float32(source.traced))
        with open_source((tmp_path / "own.tflite",), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
            pass
    own = own_scaling(source, 3)
    assert own is not None
    np.testing.assert_allclose(np.broadcast_to(own.gain, 3), gain, rtol=1e-4)
    np.testing.assert_allclose(np.broadcast_to(own.offset, 3), offset, rtol=1e-4)
    check_scaling(spec_of("none"), source)
    for preset in ("unit", "tf", "torch", "caffe"):
        with pytest.raises(SpecError, match="scaled twice"):
            check_scaling(spec_of(preset), source)


@pytest.mark.parametrize("preset", ["unit", "tf", "torch"])
def test_a_mean_of_0_to_255_is_not_taken_out_of_smaller_pixels(tmp_path: Path, preset: str) -> None:
    source = scaled_onnx(tmp_path / "a.onnx", ("Sub", [123.68, 116.779, 103.939]))
    with pytest.raises(SpecError, match=r"its first layer would see -12[1-5]\.\d\.\.-10\d"):
        check_scaling(spec_of(preset), source)
