"""`make` says in one sentence what a machine lacks, and leaves nothing half-made."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def preflight(project: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("preflight", project / "tools/preflight.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def good_machine() -> dict[str, Any]:
    return {
        "system": "Linux",
        "processor": "x86_64",
        "bits": 64,
        "libc": "glibc",
        "version": (3, 11),
        "has_ensurepip": True,
        "free_gb": 20.0,
        "needed_gb": 6.0,
    }


@pytest.fixture
def bare_checkout(project: Path, tmp_path: Path) -> Path:
    """The files that set-up needs, in a folder of their own."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(project / name, tmp_path / name)
    shutil.copytree(project / "tools", tmp_path / "tools")
    return tmp_path


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"processor": "aarch64"},
        {"system": "Darwin", "processor": "arm64", "libc": ""},
        {"version": (3, 10)},
        {"version": (3, 13)},
        {"free_gb": 6.0},
    ],
)
def test_a_supported_machine_lacks_nothing(
    preflight: ModuleType, good_machine: dict[str, Any], change: dict[str, Any]
) -> None:
    assert preflight.missing(preflight.Machine(**{**good_machine, **change})) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"system": "Windows", "processor": "AMD64"}, ["Windows on AMD64", "Linux x86-64", "macOS arm64"]),
        ({"processor": "armv7l"}, ["Linux on armv7l", "Linux aarch64"]),
        ({"system": "Darwin", "processor": "x86_64"}, ["Darwin on x86_64", "macOS arm64"]),
        ({"processor": "aarch64", "bits": 32}, ["32-bit", "64-bit"]),
        ({"libc": ""}, ["no glibc"]),
        ({"version": (3, 9)}, ["Python 3.9", "3.10 to 3.13", "PYTHON="]),
        ({"version": (3, 14)}, ["Python 3.14", "3.10 to 3.13"]),
        ({"has_ensurepip": False}, ["ensurepip", "apt install python3.11-venv"]),
        ({"free_gb": 5.9}, ["5.9 GB", "6 GB", "free some space"]),
    ],
)
def test_each_missing_thing_is_one_sentence(
    preflight: ModuleType, good_machine: dict[str, Any], change: dict[str, Any], words: list[str]
) -> None:
    (sentence,) = preflight.missing(preflight.Machine(**{**good_machine, **change}))
    assert all(word in sentence for word in words), sentence
    assert sentence.endswith(".")


def test_all_that_is_missing_is_named_at_once(preflight: ModuleType, good_machine: dict[str, Any]) -> None:
    poor = {**good_machine, "version": (3, 8), "has_ensurepip": False, "free_gb": 1.0}
    assert len(preflight.missing(preflight.Machine(**poor))) == 3


def test_an_installed_demo_asks_for_less_disk(preflight: ModuleType, tmp_path: Path) -> None:
    assert preflight.this_machine(tmp_path).needed_gb == 6.0
    (tmp_path / ".venv/.stamps").mkdir(parents=True)
    (tmp_path / ".venv/.stamps/demo").touch()
    assert preflight.this_machine(tmp_path).needed_gb == 1.0


def test_preflight_parses_on_the_python_that_it_refuses(project: Path) -> None:
    source = (project / "tools/preflight.py").read_text("utf-8")
    ast.parse(source, feature_version=(3, 6))


def test_find_python_passes_over_a_shim_that_leads_nowhere(project: Path, tmp_path: Path) -> None:
    _script(tmp_path / "python3", "exit 127")
    (tmp_path / "python3.12").symlink_to(sys.executable)
    assert _find_python(project, tmp_path).stdout.strip() == str(tmp_path / "python3.12")


def test_find_python_offers_an_unsuitable_one_for_preflight_to_judge(project: Path, tmp_path: Path) -> None:
    # It runs, is new enough to speak, and fails the test for a supported version.
    _script(tmp_path / "python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    assert _find_python(project, tmp_path).stdout.strip() == str(tmp_path / "python3")


def test_find_python_says_when_there_is_none(project: Path, tmp_path: Path) -> None:
    found = _find_python(project, tmp_path)
    assert found.returncode != 0
    assert "There is no Python 3 here: install Python 3.10 to 3.13" in found.stderr


@pytest.mark.parametrize("target", ["demo", "test", "check"])
def test_make_stops_before_it_makes_anything(bare_checkout: Path, target: str) -> None:
    made = subprocess.run(
        ["make", target, "PYTHON=no-such-python"],
        cwd=bare_checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode != 0
    assert "PYTHON=no-such-python is no command: name a Python 3.10 to 3.13." in made.stderr
    assert not (bare_checkout / ".venv").exists()


def test_an_environment_that_cannot_be_made_leaves_no_stamp(bare_checkout: Path) -> None:
    (bare_checkout / ".venv").write_text("a file where the folder should go")
    result = _bootstrap(bare_checkout)
    assert result.returncode == 1
    assert "could not make a virtual environment" in result.stderr


def test_an_installation_that_breaks_off_leaves_no_stamp(bare_checkout: Path) -> None:
    environment = bare_checkout / ".venv"
    (environment / "bin").mkdir(parents=True)
    # An environment whose pip answers, and cannot install.
    _script(
        environment / "bin/python", 'case "$*" in *--version) exit 0;; esac; echo no such package; exit 1'
    )
    (environment / ".stamps").mkdir()
    (environment / ".stamps/core").touch()
    result = _bootstrap(bare_checkout)
    assert result.returncode == 1
    assert "no such package" in result.stderr
    assert "pip could not install hatchling" in result.stderr
    assert not (environment / ".stamps/core").exists()


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _find_python(project: Path, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(path), "PYTHON": ""}
    return subprocess.run(
        ["/bin/sh", project / "tools/find-python"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _bootstrap(checkout: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / "tools/bootstrap.py"), "core"]
    return subprocess.run(command, capture_output=True, text=True, check=False)
