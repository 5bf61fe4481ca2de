"""The wheel holds the three packages, all of them, and nothing that other distributions could trip over."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PACKAGES = ["converters", "device", "edge_sdk"]


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, project]
    built = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_its_top_level_names_are_the_three_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name.partition("/")[0] for name in archive.namelist()}
    version = wheel.name.split("-")[1]
    assert names == {*PACKAGES, f"edge_sdk-{version}.dist-info"}


@pytest.mark.parametrize("package", PACKAGES)
def test_it_carries_every_module_and_the_types(wheel: Path, project: Path, package: str) -> None:
    sources = {str(path.relative_to(project)) for path in (project / package).rglob("*.py")}
    with zipfile.ZipFile(wheel) as archive:
        assert sources | {f"{package}/py.typed"} <= set(archive.namelist())


def test_it_carries_the_units_of_systemd(wheel: Path, project: Path) -> None:
    units = {str(path.relative_to(project)) for path in (project / "device/systemd").iterdir()}
    assert len(units) == 2
    with zipfile.ZipFile(wheel) as archive:
        assert units <= set(archive.namelist())


def test_its_version_is_the_one_that_the_program_prints(wheel: Path) -> None:
    version = wheel.name.split("-")[1]
    printed = subprocess.check_output([sys.executable, "-m", "edge_sdk.cli", "--version"], text=True)
    assert printed.split() == ["edge-sdk", version]


def test_it_works_away_from_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import edge_sdk, edge_sdk.cli.main as cli\n"
        f"assert edge_sdk.__file__.startswith({str(tmp_path)!r}), edge_sdk.__file__\n"
        "cli.main(['--help'])"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "convert" in done.stdout


def test_it_carries_the_models_that_the_demo_converts(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        f"import importlib, sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from edge_sdk.demo.example import find_example\n"
        "example = find_example()\n"
        f"assert example.folder.is_relative_to({str(tmp_path)!r}), example\n"
        f"assert str(example.search_path) == {str(tmp_path)!r}, example\n"
        "assert example.spec.is_file() and example.head.is_file()\n"
        "importlib.import_module(example.base_module)\n"
        "classifier = importlib.import_module(example.imagenet_module)\n"
        "assert classifier.LITE0_SPEC.is_relative_to(example.search_path), classifier.LITE0_SPEC\n"
        "assert classifier.LITE0_SPEC.is_file()\n"
        "assert importlib.import_module(example.faces_module).__name__.startswith('edge_sdk.demo.')"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_its_licence_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        text = archive.read(metadata).decode()
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())
    assert "License-Expression: Apache-2.0" in text
    assert "Requires-Python: <3.14,>=3.10" in text
