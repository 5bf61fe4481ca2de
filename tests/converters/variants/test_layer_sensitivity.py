"""ONNX in int8 but for the layers that are sensitive to it, wherever they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper
from onnx_nets import INPUT, SHAPE, answers, onnx_model, pictures, relative_error, residual_net

from converters.variants.kept_samples import half_of
from converters.variants.layer_sensitivity import make_mixed_by_sensitivity, most_sensitive_first
from converters.variants.mixed_precision import ERROR_AIMED_AT
from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_lint import lint_onnx
from converters.variants.onnx_operations import read_onnx_operations
from converters.variants.onnx_prepared import prepare_onnx
from edge_sdk.console.progress import LineProgress, SilentProgress
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import ConversionError

N_LAYERS, CHANNELS = 10, 8


def chain(*loud: int, by: float = 300.0) -> bytes:
    """Convolutions, one after the other.

    Args:
        loud: Layers before which one channel is that much larger than the others; they take it back.
        by: That much.
    """
    random = np.random.default_rng(3)
    nodes, constants = [], []
    weights = [
        random.normal(scale=(2 / (9 * taken)) ** 0.5, size=(CHANNELS, taken, 3, 3)).astype(np.float32)
        for taken in (3, *[CHANNELS] * (N_LAYERS - 1))
    ]
    for layer in loud:
        weights[layer - 1][0] *= by
        weights[layer][:, 0] /= by
    for index, weight in enumerate(weights):
        constants.append(numpy_helper.from_array(weight, f"w{index}"))
        taken = INPUT if index == 0 else f"r{index - 1}"
        nodes.append(helper.make_node("Conv", [taken, f"w{index}"], [f"c{index}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{index}"], [f"r{index}"]))
    return onnx_model(nodes, constants)


def quantizer(content: bytes, samples: list[Float32Array] | None = None) -> OnnxQuantizer:
    calibration = samples or pictures(20)
    prepared = prepare_onnx(content, INPUT, SHAPE)
    return OnnxQuantizer(prepared, lambda: iter(calibration), heads_in_float=False, equalize=False)


def layer_names(made: OnnxQuantizer) -> list[str]:
    return [item.name for item in made.operations if item.is_layer]


def are_float(content: bytes) -> list[bool]:
    return [item.is_float for item in read_onnx_operations(content) if item.is_layer]


@pytest.mark.parametrize("layer", [2, 7])
def test_the_layer_that_int8_spoils_is_the_most_sensitive_wherever_it_stands(layer: int) -> None:
    made = quantizer(chain(layer))
    assert most_sensitive_first(made, SilentProgress())[0] == layer_names(made)[layer]


def test_a_layer_deep_in_the_network_is_kept_in_float_and_those_before_it_are_not() -> None:
    content = chain(7)
    made = quantizer(content)
    mixed = make_mixed_by_sensitivity(made, SilentProgress())
    unseen = pictures(20, seed=4)
    wanted = answers(content, unseen)
    assert relative_error(wanted, answers(made.quantize(), unseen)) > 5 * ERROR_AIMED_AT
    assert relative_error(wanted, answers(mixed.content, unseen)) < 1.5 * ERROR_AIMED_AT
    assert are_float(mixed.content)[7]
    assert not all(are_float(mixed.content)[:7])
    assert len(mixed.float_layers) < 8  # so many are needed where the first ones are kept
    assert mixed.note.startswith(f"{len(mixed.float_layers)} of 10 layers in float; off by ")


def test_not_all_layers_are_kept_in_float_even_if_none_of_them_bears_int8() -> None:
    made = quantizer(chain(*range(1, N_LAYERS), by=1000.0))
    mixed = make_mixed_by_sensitivity(made, SilentProgress())
    integer = len(made.integer_layers)
    assert are_float(mixed.content).count(False) == integer - int(integer * 7 / 8) > 0


def test_pairs_of_a_residual_sum_go_with_the_layers_beside_it() -> None:
    mixed = make_mixed_by_sensitivity(quantizer(residual_net(loud=400.0)), SilentProgress())
    assert 0 < len(mixed.float_layers) < 6
    assert lint_onnx(mixed.content) == []


def test_what_is_measured_and_tried_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    make_mixed_by_sensitivity(quantizer(chain(7)), LineProgress())
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("onnx-mixed: int8 is off by ")
    assert lines[1] == "onnx-mixed: measuring layers: 0 of 10"
    assert all(line.endswith("of 10 layers in float") for line in lines[2:])


def test_the_layers_told_while_it_searches_are_those_that_the_note_counts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = make_mixed_by_sensitivity(quantizer(residual_net(loud=400.0)), LineProgress())
    told = [line.partition(" with ")[2] for line in capsys.readouterr().err.splitlines()[2:]]
    assert made.note.partition(";")[0] in told


def test_what_an_aim_was_missed_by_is_said() -> None:
    hopeless = make_mixed_by_sensitivity(quantizer(chain(*range(1, N_LAYERS), by=1000.0)), SilentProgress())
    assert hopeless.note.endswith("; the aim of 3% is not reached")
    assert "aim" not in make_mixed_by_sensitivity(quantizer(chain(7)), SilentProgress()).note


def test_errors_are_those_on_tensors_that_ranges_were_not_measured_on() -> None:
    content = chain()
    samples = [picture * np.float32(4 if half_of(index) else 1) for index, picture in enumerate(pictures(6))]
    made = quantizer(content, samples)
    told = make_mixed_by_sensitivity(made, SilentProgress()).note
    told_of_int8 = float(told.partition("int8 by ")[2].partition("%")[0]) / 100
    seen = relative_error(answers(content, samples), answers(made.quantize(), samples))
    assert told_of_int8 > 2 * seen


@pytest.mark.parametrize(
    ("n", "on"),
    [
        (1, "on the calibration tensor that its ranges are of"),
        (6, "on 6 calibration tensors, each half of them by a model with the ranges of the other half"),
    ],
)
def test_the_note_says_what_was_measured_on_what(n: int, on: str) -> None:
    note = make_mixed_by_sensitivity(quantizer(chain(7), pictures(n)), SilentProgress()).note
    assert f"% {on}, int8 by " in note


def test_the_same_inputs_give_the_same_bytes() -> None:
    once, again = (make_mixed_by_sensitivity(quantizer(chain(4)), SilentProgress()) for _ in range(2))
    assert once == again


def test_a_single_layer_that_could_be_int8_leaves_nothing_to_mix() -> None:
    weight = numpy_helper.from_array(np.ones((4, 3, 1, 1), np.float32), "w")
    net = onnx_model([helper.make_node("Conv", [INPUT, "w"], ["y"])], [weight])
    with pytest.raises(ConversionError, match="single layer"):
        make_mixed_by_sensitivity(quantizer(net), SilentProgress())


def test_a_real_detector_agrees_with_float_on_photos_that_were_not_calibrated_on(shared_data: Path) -> None:
    content = (shared_data / "models/fastestdet/FastestDet.onnx").read_bytes()
    photos = [_photo(path) for path in sorted((shared_data / "images/voc100/images").glob("*.jpg"))[:12]]
    prepared = prepare_onnx(content, "input.1", photos[0].shape)
    made = OnnxQuantizer(prepared, lambda: iter(photos[::2]), heads_in_float=True)
    mixed = make_mixed_by_sensitivity(made, SilentProgress()).content
    wanted = answers(content, photos[1::2])
    assert relative_error(wanted, answers(made.quantize(), photos[1::2])) > 0.15
    assert relative_error(wanted, answers(mixed, photos[1::2])) < 0.1
    assert not all(are_float(mixed))
    assert lint_onnx(mixed) == []


def _photo(path: Path) -> Float32Array:
    """As FastestDet takes it: BGR, channels first, 0..1."""
    image: Any = pytest.importorskip("PIL.Image")
    with image.open(path) as photo:
        pixels = np.asarray(photo.convert("RGB").resize((352, 352)), dtype=np.float32)
    return np.ascontiguousarray(pixels[np.newaxis, :, :, ::-1].transpose(0, 3, 1, 2) / np.float32(255))
