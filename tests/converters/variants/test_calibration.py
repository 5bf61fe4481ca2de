"""A quantizer is calibrated with exactly what a device will feed the model."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from labelled_sounds import LABELS, spec_text, write_sounds
from sparse_recording import write_sparse_wav

from converters.data.clip_windows import clip_blocks, clip_windows, expected_windows, read_windows
from converters.data.dataset import read_dataset
from converters.spec.spec_file import load_spec
from converters.variants import calibration as calibration_module
from converters.variants.calibration import calibration_tensors
from edge_sdk.console.progress import SilentProgress
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
    return AudioScorer(spec.audio, spec.classes, spec.label_ids, backend), heard


def as_batch(features: Float32Array) -> Float32Array:
    return features.reshape(1, 97, 24)


def test_tensors_are_bit_for_bit_what_a_device_feeds(
    scorer: tuple[AudioScorer, Listening], tmp_path: Path
) -> None:
    device, heard = scorer
    dataset = read_dataset(write_sounds(tmp_path / "calibration", 2, seed=1), LABELS)
    tensors = list(calibration_tensors(dataset, device, as_batch, SilentProgress())())
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
    tensors = calibration_tensors(dataset, device, as_batch, SilentProgress())
    first, again = list(tensors()), list(tensors())
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    alone = device.tensor_for_window(read_windows(dataset.clips[0], 8000, 8000, [2000])[0])
    np.testing.assert_allclose(first[1], alone, atol=1e-5)


def test_more_than_enough_windows_are_thinned_evenly_over_all_recordings(
    scorer: tuple[AudioScorer, Listening], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration_module, "MOST_WINDOWS", 6)
    dataset = read_dataset(write_sounds(tmp_path / "calibration", 1, seed=1, seconds=4.0), LABELS)
    assert len(list(calibration_tensors(dataset, scorer[0], as_batch, SilentProgress())())) == 6


def test_a_long_recording_is_not_held_in_memory(
    scorer: tuple[AudioScorer, Listening], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration_module, "MOST_WINDOWS", 8)
    (tmp_path / "background").mkdir()
    write_sparse_wav(tmp_path / "background/long.wav", 300, 8000)
    dataset = read_dataset(tmp_path, LABELS)
    tracemalloc.start()
    tensors = list(calibration_tensors(dataset, scorer[0], as_batch, SilentProgress())())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(tensors) == 8
    assert peak_bytes < 4_000_000  # its 1197 windows would take 11 MB


@pytest.mark.parametrize("rate_hz", [8000, 11025, 44100])
@pytest.mark.parametrize("seconds", [0.3, 1.0, 1.25, 3.999])
def test_a_recordings_length_says_how_many_windows_it_has(
    scorer: tuple[AudioScorer, Listening], tmp_path: Path, rate_hz: int, seconds: float
) -> None:
    (tmp_path / "background").mkdir()
    sound = np.full(round(rate_hz * seconds), 0.1, dtype=np.float32)
    soundfile.write(tmp_path / "background/a.wav", sound, rate_hz)
    (clip,) = read_dataset(tmp_path, LABELS).clips
    assert expected_windows(scorer[0], clip) == len(list(clip_windows(scorer[0], clip)))
