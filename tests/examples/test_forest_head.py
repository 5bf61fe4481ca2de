"""The committed head fits the base and the spec, and hears what it was trained to hear."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from converters import ConversionSpec, load_spec
from examples.forest_sounds.base import FEATURES, FRONT_END, STEP_SAMPLES, WINDOW_SAMPLES, build_base
from examples.forest_sounds.dataset import LABELS, load_mono
from examples.forest_sounds.features import heard_windows
from examples.forest_sounds.head import predict_scores, save_head

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def example(project: Path) -> Path:
    return project / "examples/forest_sounds"


@pytest.fixture(scope="module")
def head(example: Path) -> keras.Model:
    return keras.models.load_model(example / "head.keras")


@pytest.fixture(scope="module")
def base() -> keras.Model:
    return build_base()


@pytest.fixture(scope="module")
def spec(example: Path) -> ConversionSpec:
    return load_spec(example / "forest_sounds.toml")


def test_the_head_is_small(example: Path) -> None:
    assert (example / "head.keras").stat().st_size <= MEGABYTE


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own, as it saves
def test_the_head_says_nothing_that_the_keras_of_python_3_10_refuses(
    example: Path, head: keras.Model, tmp_path: Path
) -> None:
    save_head(head, tmp_path / "again.keras")
    for saved in (example / "head.keras", tmp_path / "again.keras"):
        with zipfile.ZipFile(saved) as archive:
            config = archive.read("config.json")
        assert b"quantization_config" not in config
        assert b"input_axes" not in config


def test_the_head_takes_features_and_gives_a_logit_per_label(head: keras.Model) -> None:
    assert head.input_shape == (None, FEATURES)
    assert head.output_shape == (None, len(LABELS))
    logits = np.asarray(head(np.full((1, FEATURES), 50.0, np.float32)))
    assert np.abs(logits).max() > 1.0  # no sigmoid in it


def test_the_spec_describes_what_was_trained(spec: ConversionSpec) -> None:
    assert tuple(label.id for label in spec.labels) == LABELS
    assert spec.classes.activation == "sigmoid"
    assert not spec.classes.exclusive
    assert spec.audio.front_end == FRONT_END
    assert (spec.audio.window_samples, spec.audio.step_samples) == (WINDOW_SAMPLES, STEP_SAMPLES)
    assert set(spec.rules) == set(LABELS)


def test_the_results_were_made_with_the_thresholds_of_the_spec(example: Path, spec: ConversionSpec) -> None:
    results = json.loads((example / "results.json").read_text(encoding="utf-8"))
    for part in ("cross_validation", "test"):
        for label, rule in spec.rules.items():
            assert results[part][label]["threshold"] == rule.threshold
            assert results[part][label]["hits"] == rule.hits


@pytest.mark.parametrize(
    ("recording", "heard"),
    [
        ("esc10/008_Chainsaw/4-149294-A.ogg", {"chainsaw"}),
        ("esc10/007_Helicopter/4-161579-A.ogg", {"engine"}),
        ("soundsmod/sounds_ar_fire_01.ogg", {"gunshot"}),
        ("soundsmod/sounds_rain_medium.ogg", {"storm"}),
        ("esc10/009_Rooster/4-164021-A.ogg", set()),
        ("blanket/summer-night.ogg", set()),
    ],
)
def test_recordings_are_told_apart(
    base: keras.Model,
    head: keras.Model,
    spec: ConversionSpec,
    shared_data: Path,
    recording: str,
    heard: set[str],
) -> None:
    windows = heard_windows(load_mono(shared_data / "audio" / recording)).astype(np.float32)
    peaks = predict_scores(head, np.asarray(base(windows))).max(axis=0)
    over = {label for label, peak in zip(LABELS, peaks, strict=True) if peak >= spec.rules[label].threshold}
    assert over == heard
