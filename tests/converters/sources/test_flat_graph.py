"""A model becomes one graph of operations that gives the same answers and holds no large weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converters.quiet import import_tensorflow, quiet_libraries
from converters.sources.open_source import open_source
from converters.variants.onnx_conversion import convert_onnx
from converters.variants.tflite_conversion import convert_float32
from edge_sdk.contract.values import Array, TensorSpec
from edge_sdk.errors import ConversionError
from edge_sdk.inference.open import open_backend

WIDE = 300
"""So many units twice are 360 KB of weights: a large variable."""


def batch_of_1(spec: TensorSpec) -> tuple[int, ...]:
    return tuple(extent or 1 for extent in spec.shape)


def saved(path: Path, *layers: Any) -> tuple[Path, Any]:
    import keras

    keras.utils.set_random_seed(3)
    with quiet_libraries():
        model = keras.Sequential([keras.Input((12, 6), name="x"), *layers])
        model.save(path)
    return path, model


@pytest.fixture
def layers() -> Any:
    import_tensorflow()
    import keras

    return keras.layers


def answer(content: bytes, form: Any, sample: Array) -> Array:
    with open_backend(content, form) as backend:
        return np.array(backend.infer({"x": sample})["scores"])


def test_large_weights_stay_out_of_the_graph_and_in_what_is_made_of_it(layers: Any, tmp_path: Path) -> None:
    dense = [layers.Dense(WIDE, activation="relu"), layers.Dense(WIDE), layers.Flatten(), layers.Dense(3)]
    path, model = saved(tmp_path / "wide.keras", *dense)
    sample = np.random.default_rng(0).normal(size=(1, 12, 6)).astype(np.float32)
    wanted = np.asarray(model(sample))
    with open_source((path,), fit_input=batch_of_1) as source:
        assert source.traced is not None
        flat = source.traced.flat
        assert len(flat.large_weights) == 1
        assert flat.definition.ByteSize() < path.stat().st_size / 4
        np.testing.assert_allclose(source.run(sample), wanted, rtol=1e-5, atol=1e-6)
        made = {"tflite": convert_float32(source.traced), "onnx": convert_onnx(source.traced)}
    for form, content in made.items():
        assert len(content) > 4 * WIDE * WIDE
        np.testing.assert_allclose(answer(content, form, sample), wanted, rtol=1e-5, atol=1e-6)


def test_a_call_is_understood_at_once(layers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow's second way to take arguments comes after an error with all of the input in its text."""
    path, _ = saved(tmp_path / "small.keras", layers.Flatten(), layers.Dense(3))
    with open_source((path,), fit_input=batch_of_1) as source:
        assert source.traced is not None
        _, concrete, *_ = type(source.traced.function).mro()
        monkeypatch.delattr(concrete, "_call_with_flat_signature")
        assert source.run(np.zeros((1, 12, 6), np.float32)).shape == (1, 3)


def test_a_recurrent_model_answers_as_keras_does(layers: Any, tmp_path: Path) -> None:
    """Its loop is part of the flat graph; TensorFlow orders such graphs wrongly if it is let to."""
    path, model = saved(
        tmp_path / "loop.keras", layers.Bidirectional(layers.GRU(WIDE, name="gru")), layers.Dense(3)
    )
    sample = np.random.default_rng(0).normal(size=(1, 12, 6)).astype(np.float32)
    wanted = np.asarray(model(sample))
    with open_source((path,), fit_input=batch_of_1) as source:
        assert source.traced is not None
        assert len(source.traced.flat.large_weights) == 2
        np.testing.assert_allclose(source.run(sample), wanted, rtol=1e-5, atol=1e-6)
        content = convert_float32(source.traced)
        with pytest.raises(ConversionError, match="TensorListReserve"):
            convert_onnx(source.traced)
    np.testing.assert_allclose(answer(content, "tflite", sample), wanted, rtol=1e-5, atol=1e-6)
