"""``edge-sdk build`` and what it finds: folders, a full disk, and TensorRT-RTX itself without a GPU."""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_installation import FakeInstallation
from small_rights import WITHOUT_BYTECODE, without_root_rights
from tiny_bundle import tiny_bundle
from verb_done import Done

from edge_sdk.cli.main import main

RTX = pytest.mark.skipif(
    importlib.util.find_spec("tensorrt_rtx_bindings") is None,
    reason="TensorRT-RTX is not installed: pip install './edge-sdk[tensorrt-rtx]'",
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """Tones, as TFLite and as ONNX."""
    return tiny_bundle(("tflite-float32", "onnx-float32")).write(tmp_path / "tones-0.1.0.edge")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "engines"


def report(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    """Exit code and document of the verb."""
    done = Done(capsys, "build", *words)
    return done.code, done.document


def build_elsewhere(
    bundle: Path, cache: Path, prepare: Callable[[], object], *, target: str = "86", code: int = 1
) -> dict[str, Any]:
    """Build for a card under the rights and limits that ``prepare`` leaves; what is said of the variant."""
    words = ["build", str(bundle), "--for", target, "--cache", str(cache), "--json"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "edge_sdk.cli", *words],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=prepare,
            env=os.environ
            | WITHOUT_BYTECODE
            | {"PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), *sys.path]))},
        )
    except subprocess.SubprocessError:
        pytest.skip("the rights of root cannot be given up here")
    assert done.returncode == code, done.stderr
    (variant,) = json.loads(done.stdout)["variants"]
    assert (variant["status"] == "failed") == (code == 1)
    return dict(variant)


def test_a_good_engine_in_a_folder_that_is_read_only_is_found(
    fake_jetson: FakeInstallation, bundle: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it is where an image of the system is made with its engines."""
    assert report(capsys, bundle, "--cache", cache)[0] == 0
    cache.chmod(0o500)
    variant = build_elsewhere(bundle, cache, without_root_rights, target="this", code=0)
    assert (variant["status"], variant["ran_here"]) == ("found", True)


@RTX
@pytest.mark.parametrize("spelling", ["86", "8.6", "sm_86"])
def test_for_cards_elsewhere_it_builds_without_one_and_says_where_that_runs(
    bundle: Path, cache: Path, capsys: pytest.CaptureFixture[str], spelling: str
) -> None:
    assert main(["build", str(bundle), "--for", spelling, "--cache", str(cache)]) == 0
    out = capsys.readouterr().out
    assert "An engine of TensorRT-RTX runs only on cards of compute capability 8.6" in out
    assert "never on a Jetson" in out
    assert len(list(cache.glob("*.engine"))) == 1


@RTX
def test_a_family_that_it_does_not_know_is_wrong_use(
    bundle: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = report(capsys, bundle, "--for", "87", "--cache", cache)
    assert code == 2
    assert "does not build for compute capability 8.7" in document["message"]


@RTX
def test_without_a_gpu_it_says_so_and_how_to_build_for_others(
    bundle: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tests hide all GPUs."""
    code, document = report(capsys, bundle, "--cache", cache)
    (variant,) = document["variants"]
    assert (code, variant["status"]) == (1, "failed")
    assert "--for 86" in variant["hint"]
    assert not cache.exists()


@RTX
def test_a_disk_that_is_full_is_told_and_leaves_no_part_of_an_engine(bundle: Path, cache: Path) -> None:
    """Full by the system's limit for a file, which ends the write half-way, as a full disk does."""
    limit = 100_000
    variant = build_elsewhere(
        bundle, cache, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    assert "cannot write the engine" in variant["reason"]
    assert "make room" in variant["hint"]
    assert [path.name for path in cache.iterdir()] == ["build.lock"]


@RTX
def test_a_folder_that_is_read_only_is_told_before_the_build(bundle: Path, cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o500)
    variant = build_elsewhere(bundle, cache, without_root_rights)
    assert f"cannot keep engines in {cache}: Permission denied" in variant["reason"]
    assert "--cache" in variant["hint"]
