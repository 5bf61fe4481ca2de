"""A night in the calibration folder: a few of its windows are used, and it is never held."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
import soundfile
from measured_verb import start_verb
from night import DECODED_BYTES, FEATURES, RATE, model_weights, write_model, write_wav
from tiny_bundle import tone

from converters.quiet import import_tensorflow, quiet_libraries
from edge_sdk.contract.bundle import Bundle


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """``convert`` of a model that needs calibration: background is a night, with a tone in it."""
    folder = tmp_path_factory.mktemp("calibrated")
    for kind, seconds in (("calibration", 30), ("evaluation", 20)):
        for label, frequency_hz in (("low", 200), ("high", 800)):
            (folder / kind / label).mkdir(parents=True)
            soundfile.write(folder / kind / label / "a.wav", tone(frequency_hz, seconds, RATE), RATE)
    write_wav(folder / "calibration/background/night.wav", {40_000: 200})
    _, spec = write_model(folder)
    model = _write_keras(folder / "tones.keras")
    sets = ["--calibration", folder / "calibration", "--evaluation", folder / "evaluation"]
    return ["convert", model, "--spec", spec, "--variants", "tflite-int8", *sets, "--output"]


def _write_keras(path: Path) -> Path:
    import_tensorflow()
    import keras

    mel = keras.Input(FEATURES, name="mel")
    dense = keras.layers.Dense(2, activation="sigmoid")
    model = keras.Model(mel, dense(keras.layers.Flatten()(mel)))
    weights, bias = model_weights()
    dense.set_weights([weights.T, bias])
    with quiet_libraries():
        model.save(path)
    return path


def test_a_night_calibrates_int8_in_little_memory(words: list[object], tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    told, before_bytes = [], 0
    with start_verb(*words, tmp_path / "x.edge", folder=tmp_path) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("calibrating: 0 of 3"):  # TensorFlow takes its half gigabyte earlier
                before_bytes = psutil.Process(running.pid).memory_info().rss
            told.append(line)
    assert running.returncode == 0, told
    assert int((tmp_path / "peak").read_text()) - before_bytes < DECODED_BYTES // 2
    assert any(re.match(r"calibrating: \d of 3, \d+% of the next", line) for line in told)
    bundle = Bundle.open(tmp_path / "x.edge")
    assert bundle.manifest.provenance.calibration is not None
    assert bundle.manifest.provenance.calibration.n == 3
    (variant,) = bundle.manifest.variants
    assert (variant.name, variant.agreement) == ("tflite-int8", 1.0)


def test_stopped_in_the_middle_of_calibration_it_leaves_no_file(words: list[object], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with start_verb(*words, out / "x.edge", folder=tmp_path) as running:
        assert running.stderr is not None
        for line in running.stderr:
            if re.match(r"calibrating: \d of 3, \d+% of the next", line):
                running.send_signal(signal.SIGINT)
                break
        said = running.communicate(timeout=120)[1]
    assert running.returncode == 130
    assert said.endswith("interrupted\n")
    assert [path for folder in (out, tmp_path / "temporary") for path in folder.iterdir()] == []
