"""Who does what the hint about an engine says has one: the next start finds it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_gpu import FakeGpu
from fake_installation import FakeInstallation
from fake_tensorrt import fake_tensorrt
from tiny_bundle import tiny_bundle

from edge_sdk.cli.main import main
from edge_sdk.inference import choice as choice_module

Verb = Callable[..., dict[str, Any]]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tiny_bundle(("onnx-float32",)).write(tmp_path / "tones.edge")


@pytest.fixture
def verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verb:
    """Runs one on a fake Jetson, and gives its document."""
    (tmp_path / "installed").mkdir()
    installation = FakeInstallation(tmp_path / "installed")
    installation.install("10.3")
    monkeypatch.setenv("PYTHONPATH", installation.search_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt("10.3", FakeGpu()))
    monkeypatch.setattr(choice_module, "backend_installed", lambda backend: True)

    def run(*words: object) -> dict[str, Any]:
        main([*map(str, words), "--json"])
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return run


@pytest.mark.parametrize("settings", ["", "cuda_graph = false\n"], ids=["usual", "without-graph"])
@pytest.mark.parametrize("folder", ["", 'cache = "our engines"\n'], ids=["default-folder", "folder-of-ours"])
@pytest.mark.parametrize("there", ["unbuilt", "untried"])
def test_the_hint_about_an_engine_ends_what_it_is_about(
    bundle: Path, verb: Verb, tmp_path: Path, there: str, folder: str, settings: str
) -> None:
    config = tmp_path / "box.toml"
    config.write_text(f"[inference.tensorrt]\n{folder}{settings}")
    asked = ["verify", bundle, "--backend", "tensorrt", "--config", config]
    if there == "untried":
        verb("build", bundle, "--config", config)
        for mark in tmp_path.rglob("*.tried"):
            mark.unlink()
    (before,) = verb(*asked)["variants"]
    assert before["status"] == "not_run"
    for _ in range(2):  # one that is built with the usual settings may have to be tried with others
        (now,) = verb(*asked)["variants"]
        if now["status"] == "not_run":
            hint = re.search(r"hint: `edge-sdk (build BUNDLE[^`]*)`", now["reason"])
            assert hint, now["reason"]
            known = {"BUNDLE": str(bundle), "CONFIG.toml": str(config)}
            verb(*(known.get(word, word) for word in shlex.split(hint[1])))
    (now,) = verb(*asked)["variants"]
    assert now["status"] == "passed", now["reason"]
