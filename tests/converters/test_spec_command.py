"""``edge-sdk spec``: from a model's file to a spec that, once completed, converts it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_bundle import tiny_bundle

from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle

VALUES = {
    "activation": '"sigmoid"',
    "exclusive": "false",
    "sample_rate_hz": "8000",
    "window_s": "1.0",
    "step_s": "0.25",
    "layout": '"time_mel"',
    "n_mels": "24",
    "n_fft": "256",
    "hop": "80",
}
DIFFERENT = "fmin_hz = 50.0\ncenter = false\nclip = [-60.0, 20.0]\nmean = -30.0\nstd = 20.0\n"


def begin(*words: Path | str) -> int:
    return main(["spec", *map(str, words)])


def test_what_is_begun_and_completed_converts(
    workplace: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.toml"
    assert begin(workplace.model, "--task", "sound", "-o", spec, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["spec"] == str(spec)
    assert told["takes"] == ["'mel' float32 [any, 97, 24]"]
    assert len(told["to_fill_in"]) == 11

    convert = ["convert", str(workplace.model), "--spec", str(spec), "--variants", "tflite-float32"]
    convert += ["--evaluation", str(workplace.evaluation), "-o", str(tmp_path / "x.edge")]
    assert main(convert) == 2
    said = capsys.readouterr().err
    assert 'says "FILL IN" in 11 places: model.activation' in said
    assert "opening" not in said

    text = spec.read_text()
    for label_id in ("saw", "shot"):
        text = text.replace('id = "FILL IN"', f'id = "{label_id}"', 1)
    for key, value in VALUES.items():
        text = text.replace(f'{key} = "FILL IN"', f"{key} = {value}")
    text = text.replace("\n[audio.log_mel]\n", f"\n[audio.log_mel]\n{DIFFERENT}")
    assert '"FILL IN"  #' not in text
    spec.write_text(text)
    assert main(convert) == 0
    assert Bundle.open(tmp_path / "x.edge").manifest.label_ids == ("saw", "shot")


def test_a_pair_takes_what_its_first_takes_and_gives_what_its_last_gives(
    workplace: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = ["--features", workplace.features, "--head", workplace.head]
    assert begin(*pair, "--task", "sound", "-o", tmp_path / "spec.toml", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["takes"] == ["'mel' float32 [any, 97, 24]"]
    assert told["gives"] == ["'scores' float32 [any, 2]"]


def test_a_saved_model_with_two_outputs_asks_which(
    workplace: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert begin(workplace.waveform_model, "--task", "sound", "-o", tmp_path / "spec.toml", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["gives"]) == 2
    assert "model.output" in told["to_fill_in"]
    assert "window_samples = 8000" in (tmp_path / "spec.toml").read_text()


def test_a_sigmoid_in_the_model_is_seen(workplace: Any, tmp_path: Path) -> None:
    assert begin(workplace.waveform_keras, "--task", "sound", "-o", tmp_path / "spec.toml") == 0
    text = (tmp_path / "spec.toml").read_text()
    assert 'activation = "none"  # the model ends in its own sigmoid' in text


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    bundle = tiny_bundle(("tflite-float32", "onnx-float32"))
    for kind in ("tflite", "onnx"):
        (tmp_path / f"tones.{kind}").write_bytes(bundle.members[f"models/{kind}-float32.{kind}"])
    return tmp_path


@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_ready_models_are_read_too(ready: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert begin(ready / f"tones.{kind}", "--task", "sound", "-o", ready / "spec.toml") == 0
    assert f"{ready / 'spec.toml'}: 10 to fill in: labels.0.id" in capsys.readouterr().out
    assert "the model ends in its own sigmoid" in (ready / "spec.toml").read_text()


def test_a_file_that_is_there_is_replaced_only_by_force(
    ready: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = ready / "spec.toml"
    written.write_text("hours of work")
    assert begin(ready / "tones.onnx", "--task", "sound", "-o", written) == 2
    assert "is there already" in capsys.readouterr().err
    assert written.read_text() == "hours of work"
    assert begin(ready / "tones.onnx", "--task", "sound", "-o", written, "--force") == 0
    assert "FILL IN" in written.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["absent.keras", "--task", "sound", "-o", "spec.toml"], "there is no model absent.keras"),
        (["tones.onnx", "--task", "sound", "-o", "."], "is a folder"),
        (["tones.onnx", "--task", "sound", "-o", "absent/spec.toml"], "cannot write absent/spec.toml"),
        (["tones.onnx", "-o", "spec.toml"], "--task"),
        (["--task", "sound", "-o", "spec.toml"], "give either one model"),
        (["notes.txt", "--task", "sound", "-o", "spec.toml"], "is no model that can be converted"),
    ],
)
def test_wrong_use_is_said(
    ready: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(ready)
    (ready / "notes.txt").write_text("no model")
    before = set(ready.iterdir())
    assert begin(*words) == 2
    assert said in capsys.readouterr().err
    assert set(ready.iterdir()) == before
