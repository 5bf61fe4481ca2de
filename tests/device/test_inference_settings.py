"""What a person is told of the settings: which are of the file, which of options, which are not used."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from tiny_bundle import tiny_bundle
from verb_done import Done

from device.inference_settings import InferenceSettings, read_settings
from edge_sdk.cli.main import main
from edge_sdk.errors import ConfigError, UsageError
from edge_sdk.inference import choice as choice_module
from edge_sdk.inference.choice import possible_choices

MADE = tiny_bundle(("tflite-float32", "onnx-float32"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "box.toml"


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: backend != "tensorrt")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return MADE.write(tmp_path / "tones.edge")


def settings(config: Path, text: str, *, threads: int | None = None, **options: Any) -> InferenceSettings:
    config.write_text(text)
    asked: dict[str, Any] = {"variant": None, "backend": None, **options}
    return read_settings(Namespace(config=config, **asked), threads=threads)


def test_what_an_option_says_is_not_told_as_of_the_file(config: Path) -> None:
    text = '[inference]\nbackends = ["onnx"]\nthreads = 2\n'
    (told,) = settings(config, text, backend=["tflite"], variant="tflite-float32").lines()
    of_file, by_options = told.split("; by options: ")
    assert of_file == f"with the settings of {config}: threads = 2"
    assert by_options == 'variant = "tflite-float32", backends = ["tflite"]'


def test_an_option_that_says_what_is_usual_is_told_all_the_same(config: Path) -> None:
    (told,) = settings(config, "[inference]\nthreads = 2\n", threads=1).lines()
    assert told == f"what {config} sets below [inference] is set by options, too; by options: threads = 1"


def test_a_file_that_sets_nothing_is_told_beside_what_options_set(config: Path) -> None:
    assert settings(config, "", threads=3).lines() == [
        f"{config} sets nothing below [inference]: with the defaults; by options: threads = 3"
    ]


def test_settings_of_a_backend_that_runs_nothing_of_this_are_told(config: Path) -> None:
    asked = settings(config, '[inference.onnx]\nproviders = ["cuda"]\n')
    on_tflite = possible_choices(MADE.manifest, backends=["tflite"])
    assert asked.lines(on_tflite)[1:] == [
        "what [inference.onnx] says is not used: nothing of this runs on onnx"
    ]
    assert asked.lines(possible_choices(MADE.manifest, backends=["tflite", "onnx"]))[1:] == []


@pytest.mark.parametrize("verb", ["verify", "bench", "predict"])
def test_a_variant_that_the_file_misspells_is_told_with_the_file(
    verb: str, bundle: Path, config: Path, two_tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('[inference]\nvariant = "onnx-flaot32"\n')
    words = [verb, bundle, *([two_tones] if verb == "predict" else []), "--config", config]
    done = Done(capsys, *words)
    assert (done.code, done.document["error"]) == (2, "ConfigError")
    message = f"{config}: inference.variant: bundle tones has no variant 'onnx-flaot32'"
    assert (done.document["message"], done.document["hint"]) == (message, "did you mean 'onnx-float32'?")


def test_backends_that_run_nothing_are_blamed_on_who_asked_for_them(config: Path) -> None:
    text = '[inference]\nvariant = "onnx-float32"\n'
    with pytest.raises(ConfigError, match=r"box\.toml: inference\.variant: variant .* not run on 'tflite'"):
        settings(config, text, backend=["tflite"]).choices(MADE.manifest)
    asked = settings(config, text, variant="tflite-float32", backend=["onnx"])
    with pytest.raises(UsageError, match=r"^variant tflite-float32 does not run on 'onnx'"):
        asked.choices(MADE.manifest)


@pytest.mark.parametrize("verb", ["verify", "bench", "predict", "run"])
def test_a_backend_that_is_given_twice_is_wrong_use(
    verb: str, bundle: Path, two_tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [verb, str(bundle), *([str(two_tones)] if verb == "predict" else [])]
    assert main([*words, "--backend", "onnx", "--backend", "onnx"]) == 2
    assert "--backend onnx is given twice" in capsys.readouterr().err


def test_where_nothing_works_each_reason_is_told_once(
    bundle: Path, config: Path, two_tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('[inference]\nbackends = ["onnx"]\n[inference.onnx]\nproviders = ["coreml"]\n')
    assert main(["predict", str(bundle), str(two_tones), "--config", str(config)]) == 1
    told = capsys.readouterr().err
    assert told.count("has no execution provider 'coreml'") == 1
    assert told.count("hint:") == 1
    config.write_text(
        '[inference]\nbackends = ["onnx", "tflite"]\n[inference.onnx]\nproviders = ["coreml"]\n'
    )
    assert main(["predict", str(bundle), str(two_tones), "--config", str(config)]) == 0
    told = capsys.readouterr().err
    assert "onnx-float32 on onnx does not work here: this ONNX Runtime" in told
