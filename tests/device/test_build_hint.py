"""Who does what the hint about an engine says has one: the next start finds it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_installation import FakeInstallation
from tiny_bundle import tiny_bundle

from edge_sdk.cli.main import main

Verb = Callable[..., dict[str, Any]]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tiny_bundle(("onnx-float32",)).write(tmp_path / "tones.edge")


@pytest.fixture
def verb(fake_jetson: FakeInstallation, capsys: pytest.CaptureFixture[str]) -> Verb:
    """Runs one on a fake Jetson, and gives its document."""

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
            hint = re.search(r"^`edge-sdk (build BUNDLE[^`]*)`", now["hint"])
            assert hint, now["hint"]
            known = {"BUNDLE": str(bundle), "CONFIG.toml": str(config)}
            verb(*(known.get(word, word) for word in shlex.split(hint[1])))
    (now,) = verb(*asked)["variants"]
    assert now["status"] == "passed", now["reason"]
