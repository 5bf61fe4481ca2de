"""ONNX of a quantized ``.tflite`` is fed as that is; without its rounding it becomes float16 and int8."""

from __future__ import annotations

import shutil
from html import unescape
from pathlib import Path

import numpy as np
import onnx
import pytest
from conversions import report_of
from coral_mobilenet import coral_conversion
from onnx import TensorProto, helper, numpy_helper
from onnx_nets import answers, onnx_model
from tiny_models import tiny_int8_tflite

from converters import convert
from converters.preflight.preflight import is_installed
from converters.sources.open_source import open_source
from converters.variants.onnx_dequantized import dequantize_onnx
from converters.variants.onnx_of_tflite import convert_tflite
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import ConversionError

SHAPE = (1, 24)


def write_quantized(path: Path, shape: tuple[int, ...] = SHAPE) -> Path:
    """A layer of 24 features between -2 and 2, int8 at both ends."""
    weights = np.random.default_rng(3).normal(scale=0.3, size=(2, 24)).astype(np.float32)
    path.write_bytes(tiny_int8_tflite(weights, np.array([0.5, -0.5], np.float32), shape, largest=2.0))
    return path


def samples_of(shape: tuple[int, ...] = SHAPE, largest: float = 2.0) -> list[Float32Array]:
    random = np.random.default_rng(4)
    return [random.uniform(-largest, largest, shape).astype(np.float32) for _ in range(20)]


def scores_of(content: bytes, samples: list[Float32Array]) -> Float32Array:
    return answers(content, samples).reshape(len(samples), -1)


@pytest.mark.parametrize("largest", [2.0, 5.0], ids=["within its range", "beyond its range"])
def test_integers_at_both_ends_become_float_and_answers_stay(tmp_path: Path, largest: float) -> None:
    samples = samples_of(largest=largest)
    with open_source((write_quantized(tmp_path / "x.tflite"),), fit_input=lambda _: SHAPE) as source:
        made = convert_tflite(source, samples)
        wanted = np.stack([source.run(sample)[0].copy() for sample in samples])
    graph = onnx.load_from_string(made).graph
    assert {value.type.tensor_type.elem_type for value in (*graph.input, *graph.output)} == {
        TensorProto.FLOAT
    }
    # Its logits have steps of 1/8, of which kernels may round one the other way.
    assert np.abs(scores_of(made, samples) - wanted).max() <= 0.04
    assert np.mean(np.abs(scores_of(made, samples) - wanted) < 1e-6) > 0.8


def test_without_its_rounding_it_computes_in_float(tmp_path: Path) -> None:
    samples = samples_of()
    with open_source((write_quantized(tmp_path / "x.tflite"),), fit_input=lambda _: SHAPE) as source:
        made = convert_tflite(source, samples)
    plain = dequantize_onnx(made)
    kinds = {node.op_type for node in onnx.load_from_string(plain).graph.node}
    assert not kinds & {"QuantizeLinear", "DequantizeLinear"}
    difference = np.abs(scores_of(plain, samples) - scores_of(made, samples)).max()
    assert 1e-6 < difference < 0.05


def test_a_conversion_that_answers_otherwise_is_refused(tmp_path: Path) -> None:
    """tf2onnx 1.17 forgets the bias of a fully connected layer that flattens its input."""
    shape = (1, 4, 6)
    with (
        open_source((write_quantized(tmp_path / "x.tflite", shape),), fit_input=lambda _: shape) as source,
        pytest.raises(
            ConversionError, match=r"answers are off by 1\d\.\d%, and TFLite's own kernels by 0\.\d%"
        ),
    ):
        convert_tflite(source, samples_of(shape))


def test_arithmetic_with_the_integers_themselves_is_refused_by_its_name() -> None:
    constants = [
        numpy_helper.from_array(np.array(0.1, np.float32), "scale"),
        numpy_helper.from_array(np.array(3, np.int8), "zero"),
    ]
    nodes = [
        helper.make_node("QuantizeLinear", ["picture", "scale", "zero"], ["q"]),
        helper.make_node("Max", ["q", "zero"], ["cut"]),
        helper.make_node("DequantizeLinear", ["cut", "scale", "zero"], ["y"]),
    ]
    with pytest.raises(ConversionError, match="quantized already, and its Max computes with the integers"):
        dequantize_onnx(onnx_model(nodes, constants))


def test_corals_mobilenet_becomes_onnx_float16_and_int8(shared_data: Path, tmp_path: Path) -> None:
    given = coral_conversion(tmp_path, shared_data)
    photos = sorted((shared_data / "images/voc100/images").glob("*.jpg"))
    for number, label in enumerate(sorted((tmp_path / "evaluation").iterdir())):
        # What is in them is not asked: their ranges are those of photos.
        target = tmp_path / "calibration" / label.name
        target.mkdir(parents=True)
        for photo in photos[number::30]:
            shutil.copyfile(photo, target / photo.name)
    made = convert(
        **given,
        calibration=tmp_path / "calibration",
        variants=["tflite", "onnx", "onnx-float16", "onnx-int8"],
    )
    variants = {variant.name: variant for variant in made.manifest.variants}
    assert set(variants) == {"tflite", "onnx", "onnx-float16", "onnx-int8"}
    assert {variant.metric.value for variant in variants.values()} == {1.0}
    assert {variant.agreement for variant in variants.values()} == {1.0}
    told = unescape(made.read("report.html").decode())
    notes = {item["name"]: item["note"] for item in report_of(made)["variants"]}
    assert "without its rounding to integers" in notes["onnx-float16"]
    assert "without its rounding to integers" in notes["onnx-int8"]
    assert notes["onnx"] == ""
    if is_installed():
        built = {
            name: variant.build_check.passed for name, variant in variants.items() if variant.build_check
        }
        assert built == {"onnx": False, "onnx-float16": True, "onnx-int8": True}
        assert "Non-zero zero point is not supported" in told
