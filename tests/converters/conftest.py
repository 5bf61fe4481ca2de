"""Models trained in seconds, and one conversion that many tests look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_sounds import FRONT_END, WINDOW, spec_text, training_windows, write_sounds

from converters.quiet import import_tensorflow, quiet_libraries
from edge_sdk.contract.values import Float32Array
from edge_sdk.signal.log_mel import LogMelExtractor


@dataclass(frozen=True)
class Workplace:
    """What a conversion needs, on disk."""

    folder: Path
    model: Path
    features: Path
    head: Path
    waveform_model: Path
    waveform_keras: Path
    spec: Path
    waveform_spec: Path
    calibration: Path
    evaluation: Path


@pytest.fixture(scope="session")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Trained models and labelled recordings."""
    folder = tmp_path_factory.mktemp("workplace")
    (folder / "buzz.toml").write_text(spec_text())
    (folder / "wave.toml").write_text(spec_text(activation="none", log_mel=False))
    calibration = write_sounds(folder / "calibration", 6, seed=1)
    evaluation = write_sounds(folder / "evaluation", 8, seed=2)
    with quiet_libraries():
        _train_features(folder)
        _train_waveform(folder)
    return Workplace(
        folder=folder,
        model=folder / "buzz.keras",
        features=folder / "base.keras",
        head=folder / "head.keras",
        waveform_model=folder / "wave",
        waveform_keras=folder / "wave.keras",
        spec=folder / "buzz.toml",
        waveform_spec=folder / "wave.toml",
        calibration=calibration,
        evaluation=evaluation,
    )


def _train_features(folder: Path) -> None:
    """A spectrogram model, whole and as base and head."""
    import_tensorflow()
    import keras

    sounds, truth = training_windows(240, seed=3)
    extract = LogMelExtractor(FRONT_END)
    features = np.stack([extract(sound) for sound in sounds])
    keras.utils.set_random_seed(4)
    layers = keras.layers
    picture = keras.Input(features.shape[1:], name="mel")
    hidden = layers.Reshape((*features.shape[1:], 1))(picture)
    hidden = layers.Conv2D(8, 3, strides=2, activation="relu")(hidden)
    hidden = layers.Conv2D(16, 3, strides=2, activation="relu")(hidden)
    base = keras.Model(picture, layers.GlobalMaxPooling2D()(hidden))
    embedding = keras.Input((16,), name="embedding")
    head = keras.Model(embedding, layers.Dense(2)(embedding))
    whole = keras.Model(picture, head(base(picture)))
    _fit(whole, features, truth, from_logits=True)
    whole.save(folder / "buzz.keras")
    base.save(folder / "base.keras")
    head.save(folder / "head.keras")


def _train_waveform(folder: Path) -> None:
    """A model with its spectrogram inside, as Rainforest Connection's: a SavedModel and a .keras."""
    tensorflow = import_tensorflow()
    import keras

    sounds, truth = training_windows(240, seed=5)
    keras.utils.set_random_seed(6)
    layers = keras.layers
    power = np.stack([np.abs(tensorflow.signal.stft(sound, 256, 128)) for sound in sounds])
    spectrum = keras.Input(power.shape[1:])
    hidden = layers.Conv1D(12, 3, strides=2, activation="relu")(layers.Rescaling(0.2)(spectrum))
    back = keras.Model(spectrum, layers.Dense(2, activation="sigmoid")(layers.GlobalMaxPooling1D()(hidden)))
    _fit(back, power, truth, from_logits=False)

    def serve(waveform: Any) -> dict[str, Any]:
        power = tensorflow.abs(tensorflow.signal.stft(waveform, 256, 128))
        return {"scores": back(power, training=False), "power": power}

    signature = [tensorflow.TensorSpec((None, WINDOW), tensorflow.float32, name="waveform")]
    listener = tensorflow.Module()
    listener.back = back  # its variables are saved only if it can be reached
    listener.serve = tensorflow.function(serve, input_signature=signature)
    tensorflow.saved_model.save(listener, str(folder / "wave"), signatures=listener.serve)
    waveform = keras.Input((WINDOW,), name="waveform")
    mel = layers.MelSpectrogram(
        fft_length=256, sequence_stride=128, sequence_length=256, sampling_rate=WINDOW, num_mel_bins=16
    )(waveform)
    scores = layers.Dense(2, activation="sigmoid")(layers.GlobalAveragePooling1D()(mel))
    keras.Model(waveform, scores).save(folder / "wave.keras")


def _fit(model: Any, inputs: Float32Array, truth: Float32Array, *, from_logits: bool) -> None:
    import keras

    loss = keras.losses.BinaryCrossentropy(from_logits=from_logits)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(inputs, truth, epochs=12, verbose=0)
