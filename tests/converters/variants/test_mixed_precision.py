"""int8 with the layers in float that need it, found on calibration tensors alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.quiet import import_tensorflow, quiet_libraries
from converters.sources.open_source import open_source
from converters.sources.source_model import SourceModel
from converters.variants.kept_samples import MOST_SAMPLES
from converters.variants.made import Materials
from converters.variants.mixed_precision import (
    ERROR_AIMED_AT,
    bound_by_range,
    first_layers,
    light_end,
    relative_error,
)
from converters.variants.recipes import RECIPES, build_variant
from converters.variants.tflite_operations import Operation, read_operations
from edge_sdk.contract.values import Array, Float32Array
from edge_sdk.errors import ConversionError
from edge_sdk.inference.open import open_backend

WIDTH, LOUD = 16, 300.0


class HeardOnce:
    """Calibration tensors, and how often they were asked for."""

    def __init__(self, n: int) -> None:
        self.tensors = np.random.default_rng(1).normal(size=(n, 1, WIDTH)).astype(np.float32)
        self.times = 0

    def __call__(self) -> Iterator[Float32Array]:
        self.times += 1
        yield from self.tensors


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SourceModel]:
    """Six layers; one channel after the first is so loud that int8 leaves the others no steps.

    The second layer takes it back, so that in float nothing is amiss.
    """
    import_tensorflow()
    import keras

    keras.utils.set_random_seed(5)
    path = tmp_path_factory.mktemp("loud") / "loud.keras"
    with quiet_libraries():
        model = keras.Sequential([keras.Input((WIDTH,), name="x")])
        for index in range(5):
            model.add(keras.layers.Dense(WIDTH, activation="relu", name=f"hidden_{index}"))
        model.add(keras.layers.Dense(3, name="answer"))
        first, second = model.layers[:2]
        first.set_weights(_scaled(first, LOUD, axis=1))
        second.set_weights(_scaled(second, 1 / LOUD, axis=0))
        model.save(path)
    with open_source((path,), fit_input=lambda _: (1, WIDTH)) as opened:
        yield opened


def _scaled(layer: Any, factor: float, axis: int) -> list[Float32Array]:
    kernel, bias = layer.get_weights()
    kernel[(slice(None), 0) if axis == 1 else (0, slice(None))] *= factor
    return [kernel, bias]


def answers(content: bytes, tensors: Array) -> Array:
    with open_backend(content, "tflite") as backend:
        taken, given = backend.inputs[0].name, backend.outputs[0].name
        return np.stack([backend.infer({taken: tensor})[given].copy() for tensor in tensors])


def test_it_is_close_to_float_where_int8_is_not(source: SourceModel) -> None:
    calibration = HeardOnce(80)
    materials = Materials(source, calibration)
    int8 = build_variant(RECIPES["tflite-int8"], materials).content
    mixed = build_variant(RECIPES["tflite-mixed"], materials).content
    unheard = np.random.default_rng(2).normal(size=(50, 1, WIDTH)).astype(np.float32)
    wanted = np.stack([source.run(tensor) for tensor in unheard])
    assert relative_error(wanted, answers(int8, unheard)) > 5 * ERROR_AIMED_AT
    assert relative_error(wanted, answers(mixed, unheard)) < 2 * ERROR_AIMED_AT
    assert calibration.times == 1  # for both


def test_it_names_the_layers_that_really_are_float_and_leaves_others_in_int8(source: SourceModel) -> None:
    made = build_variant(RECIPES["tflite-mixed"], Materials(source, HeardOnce(20)))
    layers = [operation for operation in read_operations(made.content) if operation.is_layer]
    assert made.float_layers == tuple(layer.short_name for layer in layers if layer.is_float)
    assert "hidden_0" in made.float_layers[0]
    assert 0 < len(made.float_layers) < len(layers) == 6
    assert made.note.startswith("the first 2 and the last 1 of 6 layers in float; off by ")
    assert " on 20 calibration tensors, int8 by " in made.note


def test_the_same_inputs_give_the_same_bytes(source: SourceModel) -> None:
    once, again = (build_variant(RECIPES["tflite-mixed"], Materials(source, HeardOnce(20))) for _ in range(2))
    assert once == again


def test_errors_are_measured_on_an_even_choice_of_the_calibration_tensors(source: SourceModel) -> None:
    calibration = HeardOnce(3 * MOST_SAMPLES)
    samples = Materials(source, calibration).quantizer.samples()
    assert MOST_SAMPLES / 2 < len(samples) <= MOST_SAMPLES
    assert np.array_equal(np.stack(samples), calibration.tensors[::4])


def test_a_model_of_one_layer_has_nothing_to_mix(tmp_path: Path) -> None:
    import_tensorflow()
    import keras

    with quiet_libraries():
        keras.Sequential([keras.Input((WIDTH,), name="x"), keras.layers.Dense(3)]).save(tmp_path / "m.keras")
    with (
        open_source((tmp_path / "m.keras",), fit_input=lambda _: (1, WIDTH)) as source,
        pytest.raises(ConversionError, match="one layer"),
    ):
        build_variant(RECIPES["tflite-mixed"], Materials(source, HeardOnce(20)))


def test_without_calibration_there_is_no_mixed_variant(source: SourceModel) -> None:
    with pytest.raises(ConversionError, match="calibration"):
        build_variant(RECIPES["tflite-mixed"], Materials(source))


def operation(name: str, weight_bytes: int = 0) -> Operation:
    return Operation(name, is_layer=weight_bytes > 0, is_float=True, weight_bytes=weight_bytes)


def test_first_layers_come_with_what_stands_before_them() -> None:
    graph = [operation("scale"), operation("a", 9), operation("pad"), operation("b", 9), operation("c", 9)]
    assert [item.name for item in first_layers(graph, 2)] == ["scale", "a", "pad", "b"]
    assert [item.name for item in first_layers(graph, 9)] == [item.name for item in graph]


def test_the_end_is_light_only_where_it_holds_few_weights() -> None:
    body = [operation(f"layer {index}", 100) for index in range(20)]
    assert [item.name for item in light_end([*body, operation("pool"), operation("head", 150)])] == [
        "pool",
        "head",
    ]
    assert light_end([*body, operation("pool"), operation("heavy head", 1000)]) == []


def test_the_light_end_is_no_longer_than_a_run_of_layers() -> None:
    equal = [operation(f"layer {index}", 1) for index in range(24)]
    heavy = [operation(f"heavy {index}", 100) for index in range(8)]
    assert len(light_end([*heavy, *equal])) == 4  # an eighth of 32


def test_parts_of_a_concatenation_at_the_end_are_kept_in_float_with_it() -> None:
    boxes, scores = operation("boxes", 100), operation("scores", 100)
    flat = Operation("flat", False, True, 0, reads=("boxes",), has_one_range=True)
    joined = Operation("joined", False, True, 0, reads=("flat", "scores", "axis"), has_one_range=True)
    graph = [operation("before", 100), boxes, flat, scores, joined]
    assert {item.name for item in bound_by_range(graph, [joined])} == {"boxes", "flat", "scores"}
    assert bound_by_range(graph, [scores]) == []
    assert bound_by_range(graph, [flat]) == []  # a single value takes no range from another


def test_relative_error_of_nothing() -> None:
    zero, one = np.zeros(3, dtype=np.float32), np.ones(3, dtype=np.float32)
    assert relative_error(zero, zero) == 0.0
    assert relative_error(zero, one) == 1.0
    assert relative_error(2 * one, one) == pytest.approx(0.5)
