"""Importing a package loads nothing heavy, and the field's code runs without the workstation's libraries."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ["edge_sdk", "converters", "device"]

TRAINING = ["tensorflow", "keras", "torch", "librosa", "sklearn"]
OPTIONAL = [
    "PIL",
    "ai_edge_litert",
    "cv2",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "paho",
    "rich",
    "scipy",
    "soundfile",
    "soxr",
]

# Runs in an interpreter of its own: no current folder on the path, no user site.
LOADED = "import json, sys; {statement}; print(json.dumps(sorted(sys.modules)))"
IMPORT_ALL = """
import importlib, json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in {libraries!r}:
            raise ModuleNotFoundError(f'{{name}} is not installed here', name=name)

sys.meta_path.insert(0, Refuse())
from edge_sdk.errors import MissingExtraError
failed = {{}}
for module in {modules!r}:
    try:
        importlib.import_module(module)
    except MissingExtraError:
        pass
    except Exception as error:
        failed[module] = repr(error)
print(json.dumps(failed))
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_nothing_heavy(package: str) -> None:
    assert _heavy(_loaded(f"import {package}")) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_does_not_import_the_other_side(package: str) -> None:
    others = {*PACKAGES} - {package, "edge_sdk"}
    assert not others & set(_loaded(f"import {package}"))


def test_help_imports_nothing_heavy_and_no_verb() -> None:
    statement = "import edge_sdk.cli.main as cli; sys.stdout = sys.stderr"
    loaded = _loaded(
        f"{statement}\ntry: cli.main(['--help'])\nexcept SystemExit: pass\nsys.stdout = sys.__stdout__"
    )
    assert _heavy(loaded) == []
    assert "numpy" not in loaded
    assert not {"converters", "device"} & set(loaded)


@pytest.mark.parametrize("package", PACKAGES)
def test_where_an_optional_library_is_missing_its_extra_is_named(package: str, project: Path) -> None:
    # A module imports without it, or ends in the error that says what to install.
    walked = pkgutil.walk_packages([str(project / package)], f"{package}.")
    modules = [module.name for module in walked if not module.name.endswith("__main__")]
    program = IMPORT_ALL.format(libraries=(*TRAINING, *OPTIONAL), modules=modules)
    assert json.loads(_run(program)) == {}


def _loaded(statement: str) -> list[str]:
    program = LOADED.format(statement=statement)
    names: list[str] = json.loads(_run(program))
    return names


def _run(program: str) -> str:
    command = [sys.executable, "-I", "-c", program]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _heavy(loaded: list[str]) -> list[str]:
    return sorted({name.partition(".")[0] for name in loaded} & {*TRAINING, *OPTIONAL})
