"""``verify``, ``bench`` and ``predict`` run a model as ``run`` would, by the settings of its file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from fake_gpu import FakeGpu
from fake_installation import FakeInstallation
from fake_onnxruntime import CUDA, FakeOnnxRuntime
from fake_tensorrt import fake_tensorrt
from tiny_bundle import tiny_bundle

from device.picks import find_pick
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference import choice as choice_module
from edge_sdk.inference.options import EngineOptions, OnnxOptions

VERBS = ["verify", "bench", "predict"]
PATIENT = """
[inference]
threads = 2
[inference.onnx]
memory_arena = false
"""


@pytest.fixture(autouse=True)
def without_tensorrt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: backend != "tensorrt")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def onnxruntime(monkeypatch: pytest.MonkeyPatch) -> FakeOnnxRuntime:
    """Tells what this process asked of it; processes that are started have the real one."""
    fake = FakeOnnxRuntime(CUDA)
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    return fake


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tiny_bundle(("tflite-float32", "onnx-float32")).write(tmp_path / "tones.edge")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "box.toml"


class Done:
    """What a verb gave: its exit code, its document, and what it said beside that."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *words: object) -> None:
        self.code = main([*map(str, words), "--json"])
        shown = capsys.readouterr()
        self.document: dict[str, Any] = json.loads(shown.out)
        self.told = shown.err


def words_of(verb: str, bundle: Path, recording: Path) -> list[object]:
    more: dict[str, list[object]] = {
        "verify": [],
        "bench": ["--seconds", "0.02", "--threads", "1"],
        "predict": [recording],
    }
    return [verb, bundle, *more[verb]]


@pytest.mark.parametrize("verb", ["verify", "predict"])
def test_the_model_is_run_with_the_settings_of_the_file(
    verb: str,
    bundle: Path,
    config: Path,
    two_tones: Path,
    onnxruntime: FakeOnnxRuntime,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config.write_text(PATIENT)
    words = [*words_of(verb, bundle, two_tones), "--backend", "onnx"]
    done = Done(capsys, *words, "--config", config)
    assert done.code == 0
    assert onnxruntime.settings[-1].enable_cpu_mem_arena is False
    assert onnxruntime.settings[-1].intra_op_num_threads == 2
    told = done.document["settings"]
    assert (told["config"], told["threads"], told["backends"]) == (str(config), 2, ["onnx"])
    assert told["onnx"]["memory_arena"] is False
    plain = Done(capsys, *words)
    assert onnxruntime.settings[-1].enable_cpu_mem_arena is True
    assert plain.document["settings"]["config"] is None
    assert "settings" not in plain.told


def test_options_of_the_command_line_go_before_the_file(
    bundle: Path, config: Path, onnxruntime: FakeOnnxRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('[inference]\nvariant = "tflite-float32"\nthreads = 2\nbackends = ["tflite"]\n')
    words = ["--variant", "onnx-float32", "--backend", "onnx", "--threads", "3"]
    done = Done(capsys, "verify", bundle, "--config", config, *words)
    assert [one["variant"] for one in done.document["variants"]] == ["onnx-float32"]
    assert onnxruntime.settings[-1].intra_op_num_threads == 3


@pytest.mark.parametrize("verb", ["verify", "bench"])
def test_a_variant_and_backends_of_the_file_leave_out_the_others(
    verb: str, bundle: Path, config: Path, two_tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('[inference]\nvariant = "tflite-float32"\nbackends = ["tflite"]\n')
    done = Done(capsys, *words_of(verb, bundle, two_tones), "--config", config)
    results = done.document["variants" if verb == "verify" else "results"]
    assert [one["variant"] for one in results] == ["tflite-float32"]


def test_people_read_which_settings_these_are(
    bundle: Path, config: Path, two_tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(PATIENT)
    told = f"with the settings of {config}: threads = 2, onnx.memory_arena = false"
    for verb in ("verify", "bench"):
        assert main([*map(str, words_of(verb, bundle, two_tones)), "--config", str(config)]) == 0
        shown = capsys.readouterr()
        assert told in shown.out.splitlines()
    assert "times in ms with 2 threads; inferences per s with 1, 2 threads" in shown.out
    assert main(["predict", str(bundle), str(two_tones), "--config", str(config)]) == 0
    assert told in capsys.readouterr().err.splitlines()


# --- bench ---


def test_times_are_those_with_the_threads_of_the_file_and_throughput_is_followed_beyond(
    bundle: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("[inference]\nthreads = 3\n")
    words = ["bench", bundle, "--seconds", "0.02", "--threads", "4", "--backend", "onnx"]
    done = Done(capsys, *words, "--config", config)
    (figures,) = [one["figures"] for one in done.document["results"]]
    assert figures["threads"] == 3
    assert list(figures["per_s"]) == ["1", "2", "3", "4"]
    (figures,) = [one["figures"] for one in Done(capsys, *words).document["results"]]
    assert figures["threads"] == 1
    assert list(figures["per_s"]) == ["1", "2", "4"]


def test_the_process_that_measures_heeds_the_file(
    bundle: Path, config: Path, onnxruntime: FakeOnnxRuntime, capsys: pytest.CaptureFixture[str]
) -> None:
    """This process believes that ONNX Runtime has CUDA; the one that measures finds that it has not."""
    config.write_text('[inference.onnx]\nproviders = ["cuda"]\n')
    words = ["bench", bundle, "--seconds", "0.02", "--threads", "1", "--config", config]
    statuses = {one["backend"]: one for one in Done(capsys, *words).document["results"]}
    assert statuses["tflite"]["status"] == "passed"
    assert "no execution provider 'cuda'" in statuses["onnx"]["reason"]


def test_a_pick_keeps_the_settings_that_it_was_measured_with(
    bundle: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(PATIENT)
    words = ["bench", bundle, "--seconds", "0.02", "--threads", "1", "--backend", "onnx", "--pick"]
    assert Done(capsys, *words, "--config", config).document["picked"] is True
    pick = find_pick(Bundle.open(bundle)).pick
    assert pick is not None
    assert pick.settings == EngineOptions(threads=2, onnx=OnnxOptions(memory_arena=False))
    assert pick.other_settings(EngineOptions()) == "threads = 2, here 1; onnx.memory_arena = false, here true"


def test_what_was_picked_with_other_settings_is_run_with_a_warning(
    bundle: Path, config: Path, two_tones: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("[inference]\nthreads = 2\n")
    measured = ["bench", bundle, "--seconds", "0.02", "--threads", "1", "--backend", "onnx", "--pick"]
    Done(capsys, *measured, "--config", config)
    as_picked = Done(capsys, "predict", bundle, two_tones, "--config", config)
    assert as_picked.document["variant"] == "onnx-float32"
    assert "other settings" not in as_picked.told
    otherwise = Done(capsys, "predict", bundle, two_tones)
    assert otherwise.document["variant"] == "onnx-float32"
    assert "was measured with other settings: threads = 2, here 1" in otherwise.told
    assert "edge-sdk bench BUNDLE --config CONFIG.toml --pick" in otherwise.told
    named = Done(capsys, "predict", bundle, two_tones, "--variant", "onnx-float32")
    assert "other settings" not in named.told  # it is not run for having been the fastest


# --- TensorRT ---


def test_an_engine_is_built_tried_and_verified_by_the_file_and_only_so(
    bundle: Path,
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A fake TensorRT on a fake Jetson, whose memory is the computer's."""
    (tmp_path / "installed").mkdir()
    installation = FakeInstallation(tmp_path / "installed")
    installation.install("10.3")
    monkeypatch.setenv("PYTHONPATH", installation.search_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt("10.3", FakeGpu()))
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: True)
    config.write_text('[inference.tensorrt]\ncache = "engines"\nmapped_memory = true\n')
    built = Done(capsys, "build", bundle, "--config", config)
    assert built.document["settings"] == {"config": str(config), "cuda_graph": True, "mapped_memory": True}
    assert built.document["cache"] == str(tmp_path / "engines")
    asked = ["verify", bundle, "--backend", "tensorrt"]
    verified = Done(capsys, *asked, "--config", config)
    assert [one["status"] for one in verified.document["variants"]] == ["passed"]
    assert "no engine of" in Done(capsys, *asked).document["variants"][0]["reason"]
    config.write_text('[inference.tensorrt]\ncache = "engines"\n')
    otherwise = Done(capsys, *asked, "--config", config).document["variants"][0]
    assert otherwise["status"] == "not_run"
    assert "has not run yet on Orin" in otherwise["reason"]


def test_a_folder_of_engines_on_the_command_line_goes_before_that_of_the_file(
    bundle: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorrt_rtx_bindings", reason="TensorRT-RTX builds for cards that are not here")
    config.write_text('[inference.tensorrt]\ncache = "engines"\n')
    words = ["build", bundle, "--for", "86", "--config", config]
    assert Done(capsys, *words, "--cache", tmp_path / "other").document["cache"] == str(tmp_path / "other")
    assert not (tmp_path / "engines").exists()


def test_nothing_is_built_by_a_file_that_does_not_hold(
    bundle: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("[inference.tensorrt]\nmaped_memory = true\n")
    done = Done(capsys, "build", bundle, "--config", config)
    assert (done.code, done.document["error"]) == (2, "ConfigError")
    assert "mapped_memory" in done.document["hint"]


# --- a file that does not hold ---


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
