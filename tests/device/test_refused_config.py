"""A file that does not hold is refused by each verb that is given one, before anything is run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tiny_bundle import tiny_bundle
from verb_done import Done, words_of

from edge_sdk.cli.main import main
from edge_sdk.inference import choice as choice_module

VERBS = ["verify", "bench", "predict"]


@pytest.fixture(autouse=True)
def without_tensorrt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: backend != "tensorrt")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tiny_bundle(("tflite-float32", "onnx-float32")).write(tmp_path / "tones.edge")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "box.toml"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[inference.onnx]\nmemory_arenas = false\n", "'inference.onnx.memory_arenas'", "memory_arena"),
        ("[inference]\nthreads = 0\n", "threads", ""),
        ('[broker]\nurl = "mqtt://localhost"\nusr = "box"\n', "unknown key 'broker.usr'", "user"),
        ('[inference.onnx]\nproviders = ["coreml"]\n', "has no execution provider 'coreml'; it has: cp", ""),
        ("[inference\n", "is not TOML", ""),
    ],
    ids=["unknown key", "bad value", "unknown key elsewhere", "provider that is not here", "no TOML"],
)
def test_what_does_not_hold_is_refused_before_anything_is_run(
    verb: str,
    text: str,
    message: str,
    hint: str,
    bundle: Path,
    config: Path,
    two_tones: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config.write_text(text)
    words = [*words_of(verb, bundle, two_tones), *(["--backend", "onnx"] if verb == "predict" else [])]
    done = Done(capsys, *words, "--config", config)
    assert "results" not in done.document
    assert "variants" not in done.document
    assert message in done.document["message"]
    assert hint in (done.document["hint"] or "")
    if (
        verb != "predict" or "provider" not in message
    ):  # there it is what the one choice comes to, as in `run`
        assert (done.code, done.document["error"]) == (2, "ConfigError")
        assert str(config) in done.document["message"]


def test_a_file_that_is_not_there_is_wrong_use(
    bundle: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = Done(capsys, "verify", bundle, "--config", config)
    assert (done.code, done.document["message"]) == (2, f"there is no file {config}")


def test_a_provider_that_is_not_here_does_not_matter_where_onnxruntime_runs_nothing(
    bundle: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('[inference.onnx]\nproviders = ["coreml"]\n')
    assert Done(capsys, "verify", bundle, "--config", config, "--backend", "tflite").code == 0


def test_without_onnxruntime_its_providers_are_not_asked_for(
    bundle: Path, config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    config.write_text('[inference.onnx]\nproviders = ["cpu"]\n')
    done = Done(capsys, "verify", bundle, "--config", config)
    assert [one["status"] for one in done.document["variants"]] == ["passed", "not_run"]


def test_a_file_that_says_nothing_of_inference_means_the_defaults_and_that_is_told(
    bundle: Path, config: Path, two_tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(f'bundle = "{bundle}"\nsource = "{two_tones}"\n[broker]\nurl = "mqtt://localhost"\n')
    assert main(["verify", str(bundle), "--config", str(config)]) == 0
    assert f"{config} sets nothing below [inference]: with the defaults" in capsys.readouterr().out
