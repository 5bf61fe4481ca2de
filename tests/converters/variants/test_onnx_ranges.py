"""The ranges of activations in int8 ONNX: what they leave out, and which rule is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_nets import INPUT, SHAPE, answers, onnx_model, pictures, relative_error, residual_net

from converters.variants.onnx_int8 import OnnxQuantizer
from converters.variants.onnx_prepared import prepare_onnx
from converters.variants.onnx_range_rules import RANGE_RULES, WIDEST, RangeRule
from converters.variants.onnx_ranges import TensorRange
from edge_sdk.contract.values import Float32Array
from edge_sdk.errors import ConversionError


def quantizer(content: bytes, n: int = 40, *, heads_in_float: bool = False) -> OnnxQuantizer:
    calibration: Callable[[], Iterable[Float32Array]] = lambda: iter(pictures(n))  # noqa: E731
    return OnnxQuantizer(prepare_onnx(content, INPUT, SHAPE), calibration, heads_in_float=heads_in_float)


def test_a_range_leaves_one_value_in_ten_thousand_out_and_knows_the_largest() -> None:
    found = TensorRange()
    values = np.linspace(0, 1, 100_000, dtype=np.float32).reshape(1, -1)
    found.add(values)
    outlier = values.copy()
    outlier[0, 0] = -50.0
    found.add(outlier)
    assert found.peak == 50.0
    assert found.largest(0.9999) == pytest.approx(1.0, abs=50 / 1024)
    assert found.largest(1.0) == pytest.approx(50.0)


def test_ranges_of_two_halves_are_those_of_the_whole() -> None:
    values = [np.random.default_rng(seed).normal(size=(1, 4, 50)) * 3.0**seed for seed in range(6)]
    whole, first, second = TensorRange(), TensorRange(), TensorRange()
    for index, value in enumerate(values):
        whole.add(value.astype(np.float32))
        (first if index % 2 else second).add(value.astype(np.float32))
    merged = first.merged(second)
    assert merged.peak == whole.peak
    for share in (0.5, 0.9, 0.999, 1.0):
        assert merged.largest(share) == whole.largest(share)
    assert merged.channel_means == pytest.approx(whole.channel_means)
    assert (merged.channel_peaks == whole.channel_peaks).all()


def test_zeros_count_whenever_they_come() -> None:
    silence, sound = (np.zeros((1, 10_000), np.float32), np.linspace(0, 1, 10_000, dtype=np.float32)[None])

    def of(*values: Float32Array) -> TensorRange:
        found = TensorRange()
        for value in values:
            found.add(value)
        return found

    expected = of(sound, silence)
    for found in (of(silence, sound), of(silence).merged(of(sound)), of(sound).merged(of(silence))):
        for share in (0.4, 0.5, 0.6, 0.9, 0.9999):
            assert found.largest(share) == expected.largest(share)
    assert expected.largest(0.6) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_inside_that_is_not_finite_is_told_by_its_tensor(value: float) -> None:
    content = cut_off(3.0)
    model = onnx.load_from_string(content)
    for constant in model.graph.initializer:
        if constant.name == "w0":
            weights = numpy_helper.to_array(constant).copy()
            weights[0, 0, 0, 0] = value
            constant.CopyFrom(numpy_helper.from_array(weights, "w0"))
    for node in model.graph.node:
        if node.op_type == "Clip":
            node.CopyFrom(helper.make_node("Relu", ["a"], ["b"]))
    prepared = prepare_onnx(model.SerializeToString(), INPUT, SHAPE)
    with pytest.raises(ConversionError, match=r"tensor '.+' has values that are not finite"):
        OnnxQuantizer(prepared, lambda: pictures(2), heads_in_float=False, equalize=False)


def test_the_range_of_nothing_but_zeros_is_0() -> None:
    found = TensorRange()
    found.add(np.zeros((1, 9), dtype=np.float32))
    for measured in (found, found.merged(TensorRange())):
        assert [rule.largest(measured) for rule in RANGE_RULES] == [0.0] * len(RANGE_RULES)


def test_values_next_to_0_have_a_range() -> None:
    found = TensorRange()
    found.add(np.full((1, 9), 1e-40, dtype=np.float32))
    assert found.largest(1.0) == found.peak > 0


def cut_off(clip: float) -> bytes:
    """Two layers, and a limit between them."""
    random = np.random.default_rng(6)
    constants = [
        numpy_helper.from_array(random.normal(size=(4, 3, 1, 1)).astype(np.float32), "w0"),
        numpy_helper.from_array(random.normal(size=(64, 4, 1, 1)).astype(np.float32), "w1"),
        numpy_helper.from_array(np.array(-clip, np.float32), "low"),
        numpy_helper.from_array(np.array(clip, np.float32), "high"),
    ]
    nodes = [
        helper.make_node("Conv", [INPUT, "w0"], ["a"]),
        helper.make_node("Clip", ["a", "low", "high"], ["b"]),
        helper.make_node("Conv", ["b", "w1"], ["y"]),
    ]
    return onnx_model(nodes, constants)


def test_spikes_that_a_model_makes_nothing_of_are_cut_off() -> None:
    content = cut_off(3.0)
    calibration = pictures(40)
    for index in (3, 4):  # one in each half
        calibration[index][0, 0, 0, 0] = 2000.0
    unseen = pictures(20, seed=9)

    def error(rule: RangeRule | None) -> float:
        prepared = prepare_onnx(content, INPUT, SHAPE)
        made = OnnxQuantizer(prepared, lambda: calibration, heads_in_float=False, rule=rule)
        return relative_error(answers(content, unseen), answers(made.quantize(), unseen))

    narrow, _, largest, _ = RANGE_RULES
    assert error(None) == error(narrow) < 0.1 * error(largest)


def test_what_a_few_tensors_do_not_show_gets_more_range_than_they_have() -> None:
    def louder(n: int, seed: int) -> list[Float32Array]:
        return [picture * np.float32(1 + 0.2 * index) for index, picture in enumerate(pictures(n, seed=seed))]

    prepared = prepare_onnx(residual_net(), INPUT, SHAPE)
    made = OnnxQuantizer(prepared, lambda: louder(4, 1), heads_in_float=False)
    assert made.rule is RANGE_RULES[-1]


@pytest.mark.parametrize("n", [1, 2])
def test_one_tensor_or_two_are_enough_to_calibrate_on(n: int) -> None:
    unseen = pictures(10, seed=9)
    int8 = quantizer(residual_net(), n).quantize()
    assert relative_error(answers(residual_net(), unseen), answers(int8, unseen)) < 0.2


def test_a_single_tensor_judges_no_range_and_that_is_noted() -> None:
    made = quantizer(residual_net(), 1)
    assert made.rule is WIDEST
    assert made.note == (
        "its ranges are unjudged, of a single calibration tensor: the largest value and a quarter more"
    )
    assert quantizer(residual_net(), 2).note == ""


def test_no_tensor_at_all_is_refused() -> None:
    with pytest.raises(ConversionError, match="no calibration tensors"):
        quantizer(residual_net(), 0)


def test_each_half_is_judged_on_tensors_of_the_other() -> None:
    made = quantizer(residual_net(), 100)
    kept = {tensor.tobytes() for tensor in made.samples()}
    first, second = ({tensor.tobytes() for tensor in half.samples} for half in made.halves)
    assert first | second == kept
    assert not first & second
    assert abs(len(first) - len(second)) <= 1
    assert made.halves[0].quantize(()) != made.halves[1].quantize(()) != made.quantize()
