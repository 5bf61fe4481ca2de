"""``build`` puts engines where the file of ``run`` says, and ``verify`` finds them there."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_installation import FakeInstallation
from tiny_bundle import tiny_bundle
from verb_done import Done

from edge_sdk.cli.main import main


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tiny_bundle(("tflite-float32", "onnx-float32")).write(tmp_path / "tones.edge")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "box.toml"


def test_an_engine_is_built_tried_and_verified_by_the_file_and_only_so(
    bundle: Path,
    config: Path,
    tmp_path: Path,
    fake_jetson: FakeInstallation,
    capsys: pytest.CaptureFixture[str],
) -> None:
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


def test_a_file_that_says_nothing_of_tensorrt_is_told_to_mean_the_defaults(
    bundle: Path, config: Path, fake_jetson: FakeInstallation, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text('[inference]\nbackends = ["onnx"]\n')
    assert main(["build", str(bundle), "--config", str(config)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert f"{config} sets nothing below [inference.tensorrt]: with the defaults" in told
    config.write_text("[inference.tensorrt]\nmapped_memory = true\n")
    assert main(["build", str(bundle), "--config", str(config)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert f"with the settings of {config}: cuda_graph = true, mapped_memory = true" in told


def test_nothing_is_built_by_a_file_that_does_not_hold(
    bundle: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("[inference.tensorrt]\nmaped_memory = true\n")
    done = Done(capsys, "build", bundle, "--config", config)
    assert (done.code, done.document["error"]) == (2, "ConfigError")
    assert "mapped_memory" in done.document["hint"]
