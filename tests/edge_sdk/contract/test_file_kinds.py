"""A file that was given in the place of another is called what it is, with what to run."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from tiny_bundle import tiny_bundle, tone_weights
from tiny_models import tiny_onnx, tiny_tflite

from edge_sdk.cli.main import main
from edge_sdk.contract.file_kinds import kind_of

SPEC = 'name = "x"\nversion = "1.0.0"\n[audio]\nsample_rate_hz = 16000\n[[labels]]\nid = "saw"\n'
CONFIG = 'bundle = "x.edge"\nsource = "recordings"\n[broker]\nurl = "mqtt://localhost"\n'
KINDS = {
    "x.edge": "bundle",
    "x.tflite": "tflite",
    "renamed": "tflite",
    "x.onnx": "onnx",
    "x.keras": "keras",
    "x.h5": "hdf5",
    "x.pt": "pytorch",
    "saved": "saved_model",
    "spec.toml": "spec",
    "config.toml": "config",
    "settings.toml": "config",
    "x.wav": "recording",
    "x.jpg": "picture",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One file of each kind, where the commands run."""
    tiny_bundle(("tflite-float32",)).write(tmp_path / "x.edge")
    weights, bias = tone_weights()
    model = tiny_tflite(weights, bias, (1, weights.shape[1]))
    (tmp_path / "x.tflite").write_bytes(model)
    (tmp_path / "renamed").write_bytes(model)
    (tmp_path / "x.onnx").write_bytes(tiny_onnx(weights, bias, (1, weights.shape[1])))
    with zipfile.ZipFile(tmp_path / "x.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "{}")
    (tmp_path / "x.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("model/data.pkl", b"")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/saved_model.pb").write_bytes(b"")
    (tmp_path / "spec.toml").write_text(SPEC)
    (tmp_path / "config.toml").write_text(CONFIG)
    (tmp_path / "settings.toml").write_text("[inference]\nthreads = 2\n")
    (tmp_path / "x.wav").write_bytes(b"RIFF")
    (tmp_path / "x.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "notes.toml").write_text("who = 'me'\n")
    (tmp_path / "notes.txt").write_text("nothing of ours")
    (tmp_path / "clips").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_kind_is_known_by_what_is_in_it(folder: Path) -> None:
    assert {name: kind_of(folder / name) for name in KINDS} == KINDS
    unknown = ("notes.toml", "notes.txt", "clips", "absent")
    assert [kind_of(folder / name) for name in unknown] == [None] * len(unknown)


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        ("inspect spec.toml", "spec.toml is a spec, not a bundle", "edge-sdk convert MODEL --spec spec.toml"),
        ("verify x.tflite", "x.tflite is a TFLite model, not a bundle", "edge-sdk convert x.tflite --spec"),
        (
            "predict x.keras x.wav",
            "x.keras is a Keras model, not a bundle",
            "edge-sdk convert x.keras --spec",
        ),
        ("predict x.wav x.edge", "x.wav is a recording, not a bundle", "the bundle comes first"),
        ("predict x.jpg x.edge", "x.jpg is a picture or video, not a bundle", "the bundle comes first"),
        ("evaluate saved clips", "saved is a SavedModel, not a bundle", "edge-sdk convert saved --spec"),
        ("inspect config.toml", "config.toml is a device's configuration, not a bundle", "edge-sdk run"),
        ("verify settings.toml", "settings.toml is a device's configuration, not a bundle", "--config"),
        ("run x.onnx", "x.onnx is an ONNX model, not a bundle", "edge-sdk convert x.onnx --spec"),
        ("run spec.toml", "spec.toml is a spec, not a device's configuration", "CONFIG.toml"),
    ],
)
def test_what_is_no_bundle_is_named_with_what_makes_one(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, message: str, hint: str
) -> None:
    assert main(command.split()) == 2
    error, told = capsys.readouterr().err.splitlines()[-2:]
    assert error == f"error: {message}"
    assert hint in told


@pytest.mark.parametrize(
    ("model", "spec", "message", "hint"),
    [
        ("x.edge", "spec.toml", "x.edge is a bundle, not a trained model", "edge-sdk inspect x.edge"),
        (
            "spec.toml",
            "x.tflite",
            "spec.toml is a spec, not a trained model",
            "convert MODEL --spec spec.toml",
        ),
        ("x.h5", "spec.toml", "x.h5 is a Keras model in HDF5, not a trained model", "save('NEW.keras')"),
        ("x.pt", "spec.toml", "x.pt is a PyTorch file, not a trained model", "torch.onnx.export"),
        ("x.tflite", "x.edge", "x.edge is a bundle, not a spec", "it is converted already"),
        (
            "x.tflite",
            "x.tflite",
            "x.tflite is a TFLite model, not a spec",
            "edge-sdk spec x.tflite --task TASK -o SPEC.toml",
        ),
        ("x.tflite", "config.toml", "config.toml is a device's configuration, not a spec", "edge-sdk run"),
    ],
)
def test_convert_says_which_of_its_files_is_something_else(
    folder: Path, capsys: pytest.CaptureFixture[str], model: str, spec: str, message: str, hint: str
) -> None:
    assert main(["convert", model, "--spec", spec, "--evaluation", "clips", "-o", "y.edge"]) == 2
    error, told = capsys.readouterr().err.splitlines()[-2:]
    assert error == f"error: {message}"
    assert hint in told
    assert not (folder / "y.edge").exists()


def test_a_damaged_bundle_is_still_called_damaged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.edge").write_bytes((folder / "x.edge").read_bytes()[:-200])
    assert main(["inspect", "x.edge"]) == 1
    assert "is not a readable bundle" in capsys.readouterr().err
