"""A quantizer is calibrated with exactly what a device will feed the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_sounds import LABELS, spec_text, write_sounds

from converters.data.clip_windows import clip_blocks, read_window
from converters.data.dataset import read_dataset
from converters.spec.spec_file import load_spec
from converters.variants import calibration as calibration_module
from converters.variants.calibration import calibration_tensors
from edge_sdk.contract.values import Array, Float32Array, TensorSpec
from edge_sdk.inference.scorer import AudioScorer


class Listening:
    """A backend that keeps what it is fed."""

    inputs = (TensorSpec("mel", (1, 97, 24), "float32"),)
    outputs = (TensorSpec("scores", (1, 2), "float32"),)

    def __init__(self) -> None:
        self.fed: list[Float32Array] = []

    def infer(self, tensors: Any) -> dict[str, Array]:
        self.fed.append(tensors["mel"].copy())
        return {"scores": np.zeros((1, 2), dtype=np.float32)}


@pytest.fixture
def scorer(tmp_path: Path) -> tuple[AudioScorer, Listening]:
    (tmp_path / "spec.toml").write_text(spec_text())
    spec = load_spec(tmp_path / "spec.toml")
    heard = Listening()
    backend: Any = heard
    return AudioScorer(spec.audio, spec.output, spec.label_ids, backend), heard


def as_batch(features: Float32Array) -> Float32Array:
    return features.reshape(1, 97, 24)


def test_tensors_are_bit_for_bit_what_a_device_feeds(
    scorer: tuple[AudioScorer, Listening], tmp_path: Path
) -> None:
    device, heard = scorer
    dataset = read_dataset(write_sounds(tmp_path / "calibration", 2, seed=1), LABELS)
    tensors = list(calibration_tensors(dataset, device, as_batch)())
    for clip in dataset.clips:
        device.reset()
        for block in clip_blocks(clip, 8000, 8000):
            list(device.push(block))
        list(device.finish())
    assert len(tensors) == len(heard.fed) == 18
    assert all(np.array_equal(ours, fed) for ours, fed in zip(tensors, heard.fed, strict=True))


def test_they_are_the_same_each_time_and_windows_on_their_own_give_the_same(
    scorer: tuple[AudioScorer, Listening], tmp_path: Path
) -> None:
    device, _ = scorer
    dataset = read_dataset(write_sounds(tmp_path / "calibration", 1, seed=1), LABELS)
    tensors = calibration_tensors(dataset, device, as_batch)
    first, again = list(tensors()), list(tensors())
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    alone = device.tensor_for_window(read_window(dataset.clips[0], 8000, 8000, start=2000))
    np.testing.assert_allclose(first[1], alone, atol=1e-5)


def test_more_than_enough_windows_are_thinned_evenly_over_all_recordings(
    scorer: tuple[AudioScorer, Listening], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration_module, "MOST_WINDOWS", 6)
    dataset = read_dataset(write_sounds(tmp_path / "calibration", 1, seed=1, seconds=4.0), LABELS)
    assert len(list(calibration_tensors(dataset, scorer[0], as_batch)())) == 6
