"""What a model is trained on is what a device feeds it, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from msgspec import structs
from tiny_bundle import LABELS, LOG_MEL, RATE, STEP, WAVEFORM, WINDOW, audio_input, tone

from device.sources import open_source
from edge_sdk.contract.audio import feature_shape
from edge_sdk.contract.manifest import ClassesOutput
from edge_sdk.contract.values import Array, AudioBlock, Float32Array, TensorSpec
from edge_sdk.errors import AudioError
from edge_sdk.inference.scorer import AudioScorer
from edge_sdk.signal import AudioInput, LogMel, LogMelExtractor, read_mono, recording_features

if TYPE_CHECKING:
    from typing_extensions import Self

OTHER_LAYOUT = structs.replace(LOG_MEL, layout="mel_time", center=True, db_ref="max", top_db=60.0)
INPUTS = {
    "log_mel": audio_input(),
    "mel_time": audio_input(OTHER_LAYOUT),
    "waveform": audio_input(WAVEFORM),
}


class Fed:
    """A backend that keeps what it is fed."""

    def __init__(self, audio: AudioInput) -> None:
        shape = (1, *feature_shape(audio.front_end, audio.window_samples))
        self.inputs = (TensorSpec("features", shape, "float32"),)
        self.outputs = (TensorSpec("scores", (1, len(LABELS)), "float32"),)
        self.tensors: list[Array] = []

    def infer(self, tensors: Mapping[str, Array]) -> Mapping[str, Array]:
        self.tensors.append(tensors["features"][0].copy())
        return {"scores": np.zeros((1, len(LABELS)), dtype=np.float32)}

    def close(self) -> None:
        """Nothing is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def fed_on_a_device(path: Path, audio: AudioInput) -> tuple[list[int], Float32Array]:
    """From the file to the backend, as ``run`` plays it."""
    backend = Fed(audio)
    scorer = AudioScorer(audio, ClassesOutput(), LABELS, backend)
    starts = []
    for item in open_source(str(path)).items():
        if isinstance(item, AudioBlock):
            starts += [window.start for window in scorer.push(item)]
    starts += [window.start for window in scorer.finish()]
    return starts, np.array(backend.tensors)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("rate_hz", [RATE, 22_050, 44_100])
def test_the_features_of_a_recording_are_what_a_device_feeds_its_model(
    tmp_path: Path, name: str, rate_hz: int
) -> None:
    sound = np.concatenate([tone(300, 1.37, rate_hz), tone(2_500, 2.2, rate_hz, level=0.02)])
    stereo = np.stack([sound, sound[::-1]], axis=1)
    soundfile.write(tmp_path / "a.flac", stereo, rate_hz)
    starts, features = recording_features(tmp_path / "a.flac", INPUTS[name])
    expected_starts, expected = fed_on_a_device(tmp_path / "a.flac", INPUTS[name])
    assert starts.tolist() == expected_starts
    assert starts[-1] % STEP, "the last one ends with the recording"
    assert features.dtype == np.float32
    np.testing.assert_array_equal(features, expected)


def test_a_recording_and_an_extractor_give_the_same_in_two_steps(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(300, 2.03, 44_100), 44_100, subtype="FLOAT")
    audio = INPUTS["log_mel"]
    assert isinstance(audio.front_end, LogMel)
    samples, extract = read_mono(tmp_path / "a.wav", RATE), LogMelExtractor(audio.front_end)
    starts, features = recording_features(tmp_path / "a.wav", audio)
    alone = np.stack([extract(samples[start : start + WINDOW]) for start in starts])
    np.testing.assert_allclose(features, alone, atol=1e-4)


@pytest.mark.parametrize("rate_hz", [RATE, 44_100])
def test_a_recording_shorter_than_a_window_is_one_window(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "shot.wav", tone(300, 0.2, rate_hz), rate_hz)
    starts, features = recording_features(tmp_path / "shot.wav", INPUTS["waveform"])
    assert starts.tolist() == [0]
    assert features.shape == (1, WINDOW)
    assert np.abs(features[0, : RATE // 10]).max() > 0.1
    assert np.abs(features[0, RATE // 4 :]).max() < 1e-3


def test_what_is_no_sound_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(AudioError, match=r"a\.wav"):
        recording_features(tmp_path / "a.wav", INPUTS["log_mel"])
