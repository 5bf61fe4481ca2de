"""A loud channel between two layers is taken back where that costs nothing: int8 has steps for the others."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_nets import INPUT, SHAPE, answers, onnx_model, pictures, relative_error

from converters.variants.onnx_equalized import equalize_channels
from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_prepared import PreparedOnnx, prepare_onnx
from edge_sdk.contract.values import Float32Array


def net(between: str, *, read_twice: bool = False) -> PreparedOnnx:
    """A depthwise layer with one channel a hundred times as loud, a ReLU or none, and a layer of 1 x 1."""
    random = np.random.default_rng(2)
    depthwise = random.normal(size=(3, 1, 3, 3)).astype(np.float32)
    depthwise[0] *= 100
    pointwise = random.normal(size=(8, 3, 1, 1)).astype(np.float32)
    pointwise[:, 0] /= 100
    constants = [
        numpy_helper.from_array(value, name)
        for name, value in (
            ("w0", depthwise),
            ("b0", random.normal(size=3).astype(np.float32)),
            ("w1", pointwise),
            ("w2", random.normal(size=(64, 8, 3, 3)).astype(np.float32)),
        )
    ]
    nodes = [
        helper.make_node("Conv", [INPUT, "w0", "b0"], ["a"], group=3, pads=[1, 1, 1, 1]),
        helper.make_node(between, ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w1"], ["c"]),
        helper.make_node("Conv", ["c", "w2"], ["y"]),
    ]
    gives: dict[str, None] = {"y": None} | ({"b": None} if read_twice else {})
    return prepare_onnx(onnx_model(nodes, constants, gives=dict(gives)), INPUT, SHAPE)


def weights(prepared: PreparedOnnx) -> list[float]:
    """The largest of each tensor."""
    model = onnx.load_from_string(prepared.content)
    return sorted(float(np.abs(numpy_helper.to_array(tensor)).max()) for tensor in model.graph.initializer)


@pytest.mark.parametrize("between", ["Relu", "Identity"])
def test_int8_has_steps_for_all_channels_and_float_answers_the_same(between: str) -> None:
    prepared, unseen = net(between), pictures(20, seed=9)
    wanted = answers(prepared.content, unseen)
    assert (
        relative_error(wanted, answers(equalize_channels(prepared, lambda: pictures(8)).content, unseen))
        < 1e-5
    )

    def int8_error(*, equalize: bool) -> float:
        made = OnnxQuantizer(prepared, lambda: pictures(20), heads_in_float=False, equalize=equalize)
        return relative_error(wanted, answers(made.quantize(), unseen))

    assert int8_error(equalize=True) < 0.5 * int8_error(equalize=False)


def test_what_is_read_elsewhere_or_passes_a_curve_stays_as_it_is() -> None:
    for prepared in (net("Relu", read_twice=True), net("Sigmoid")):
        equalized = equalize_channels(prepared, lambda: pictures(8))
        assert weights(equalized)[-1] == weights(prepared)[-1] > 90


def test_a_channel_that_is_loud_in_the_last_tensors_alone_counts_too() -> None:
    quiet_ones = pictures(40)
    for picture in quiet_ones:
        picture[:, 0] /= 1000

    def loudest(*, last: bool) -> float:
        samples = [*quiet_ones, *(pictures(20, seed=5) if last else [])]
        return weights(equalize_channels(net("Relu"), lambda: samples))[-1]

    assert loudest(last=False) > 90
    assert loudest(last=True) < 45


def test_without_channels_to_equalize_calibration_is_not_asked_for() -> None:
    def calibration() -> list[Float32Array]:
        raise AssertionError

    weight = numpy_helper.from_array(np.ones((4, 3, 1, 1), np.float32), "w")
    lone = onnx_model([helper.make_node("Conv", [INPUT, "w"], ["y"])], [weight])
    prepared = prepare_onnx(lone, INPUT, SHAPE)
    assert equalize_channels(prepared, calibration) is prepared
