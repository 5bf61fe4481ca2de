"""A batch normalisation remembers how much its input varied in training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from converters.proof.acceptance import Acceptance
from converters.proof.case import Case
from converters.proof.spread_check import check_spread
from converters.quiet import import_tensorflow, quiet_libraries
from converters.sources.first_normalization import spread_ratio
from converters.sources.open_source import open_source
from converters.spec.image_table import PRESETS
from converters.variants.tflite_conversion import convert_float32
from edge_sdk.contract.image import ImageInput
from edge_sdk.contract.values import Float32Array

SIDE = 8
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 1, SIDE, SIDE, 3)).astype(np.float32)


def scaled(preset: str) -> list[Float32Array]:
    known = PRESETS[preset]
    mean, std = (np.array(part, dtype=np.float32) for part in (known.mean, known.std))
    return [(pixels - mean) / std for pixels in PIXELS]


def trained_on(kind: str, tensors: list[Float32Array], path: Path) -> None:
    """Save a model whose normalisation remembers these tensors, behind a convolution of its own."""
    import_tensorflow()
    import keras

    layers = keras.layers
    with quiet_libraries():
        keras.utils.set_random_seed(1)
        picture = keras.Input((SIDE, SIDE, 3))
        norm = layers.BatchNormalization(scale=kind != "no gain")
        fed = picture if kind == "first" else layers.Conv2D(4, 3, use_bias=kind == "bias")(picture)
        stem = keras.Model(picture, fed)
        body = keras.Model(picture, layers.ReLU()(norm(fed)))
        outer = keras.Input((SIDE, SIDE, 3), name="picture")
        hidden = body(layers.ZeroPadding2D(0)(outer)) if kind == "nested" else body(outer)
        model = keras.Model(outer, layers.GlobalAveragePooling2D()(hidden))
        if kind != "untrained":
            seen = np.concatenate([np.asarray(stem(tensor)) for tensor in tensors])
            norm.moving_mean.assign(seen.mean(axis=(0, 1, 2)))
            norm.moving_variance.assign(seen.var(axis=(0, 1, 2)))
        if path.suffix:
            model.save(path)
        else:
            model.export(path, verbose=False)


def ratio_of(path: Path, preset: str) -> float | None:
    with open_source((path,), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
        return spread_ratio(source, scaled(preset))


@pytest.mark.parametrize("kind", ["plain", "bias", "no gain", "nested", "first"])
def test_another_scaling_than_in_training_is_seen(kind: str, tmp_path: Path) -> None:
    trained_on(kind, scaled("tf"), tmp_path / "model.keras")
    assert ratio_of(tmp_path / "model.keras", "tf") == pytest.approx(1.0, abs=0.01)
    assert ratio_of(tmp_path / "model.keras", "unit") == pytest.approx(0.5, abs=0.01)
    assert ratio_of(tmp_path / "model.keras", "none") == pytest.approx(127.5, rel=0.01)


def test_a_saved_model_remembers_too(tmp_path: Path) -> None:
    trained_on("plain", scaled("tf"), tmp_path / "model")
    assert ratio_of(tmp_path / "model", "unit") == pytest.approx(0.5, abs=0.01)


def test_where_nothing_is_remembered_nothing_is_said(tmp_path: Path) -> None:
    trained_on("untrained", [], tmp_path / "model.keras")
    assert ratio_of(tmp_path / "model.keras", "none") is None
    trained_on("plain", scaled("tf"), tmp_path / "model.keras")
    with open_source((tmp_path / "model.keras",), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
        assert source.traced is not None
        (tmp_path / "model.tflite").write_bytes(convert_float32(source.traced))
    assert ratio_of(tmp_path / "model.tflite", "none") is None


def test_the_warning_names_what_would_fit_and_can_be_accepted(tmp_path: Path) -> None:
    trained_on("plain", scaled("tf"), tmp_path / "model.keras")
    spec: Any = SimpleNamespace(input=ImageInput(width=SIDE, height=SIDE, std=(255.0,)))
    nothing: Any = None
    with open_source((tmp_path / "model.keras",), fit_input=lambda _: (1, SIDE, SIDE, 3)) as source:
        case: Case[Any] = Case(spec, source, None, nothing, 0.01, Acceptance({}))
        assert check_spread(case, scaled("tf")) == []
        (warning,) = check_spread(case, scaled("unit"))
        assert "vary 0.5 times as much as in training" in warning
        assert "with preprocessing = 'tf' it would be about 1" in warning
        accepting: Case[Any] = Case(
            spec, source, None, nothing, 0.01, Acceptance({"preprocessing": "it is darker there"})
        )
        assert check_spread(accepting, scaled("unit")) == []
        assert [item.reason for item in accepting.acceptance.found] == ["it is darker there"]
