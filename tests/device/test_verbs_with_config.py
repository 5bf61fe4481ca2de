"""``verify``, ``bench`` and ``predict`` run a model as ``run`` would, by the settings of its file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fake_onnxruntime import CUDA, FakeOnnxRuntime
from tiny_bundle import tiny_bundle
from verb_done import Done, words_of

from device.picks import find_pick
from edge_sdk.cli.main import main
from edge_sdk.contract.bundle import Bundle
from edge_sdk.inference import choice as choice_module
from edge_sdk.inference.options import EngineOptions, OnnxOptions

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
    assert main([*map(str, measured), "--config", str(config)]) == 0
    assert f"\nnote: give them {config}, too" in capsys.readouterr().out
    as_picked = Done(capsys, "predict", bundle, two_tones, "--config", config)
    assert as_picked.document["variant"] == "onnx-float32"
    assert "other settings" not in as_picked.told
    otherwise = Done(capsys, "predict", bundle, two_tones)
    assert otherwise.document["variant"] == "onnx-float32"
    assert "was measured with other settings: threads = 2, here 1" in otherwise.told
    assert "hint: run it with the CONFIG.toml that `bench` was given" in otherwise.told
    assert "edge-sdk bench BUNDLE --config CONFIG.toml --pick" in otherwise.told
    named = Done(capsys, "predict", bundle, two_tones, "--variant", "onnx-float32")
    assert "other settings" not in named.told  # it is not run for having been the fastest
